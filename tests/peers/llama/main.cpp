// llama-peer: llama.cpp's own quantizer, evaluation and block codecs as commands, for comparison in
// tests and benches. Nothing of llama.cpp is linked or copied; its shared libraries are opened from
// LLAMA_PEER_LIB or --lib.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "tests/peers/llama/commands.h"
#include "tests/peers/llama/llama_api.h"

namespace {

struct Command {
  std::string_view name;
  int (*run)(const peer::Arguments&);
  const char* usage;
};

constexpr std::array<Command, 12> kCommands = {{
    {"selfcheck", peer::selfcheck, ""},
    {"info", peer::info, "FILE.gguf"},
    {"quantize", peer::quantize,
     "IN.gguf OUT.gguf TYPE [IMATRIX|none] [THREADS] [--pure] [--leave-output] "
     "[--allow-requantize] "
     "[--tensor-type REGEX=TYPE,...] [--output-type T] [--embd-type T]"},
    {"types", peer::planned_types,
     "as quantize; prints each tensor's name and type, writes nothing"},
    {"tokenize", peer::tokenize_texts,
     "MODEL.gguf [TEXT | --file TEXTFILE | --texts LIST.json] [--bos] [--special]"},
    {"logits", peer::logits, "MODEL.gguf IDS.json [OUT.f32] [--threads N]"},
    {"kld", peer::divergence,
     "REFERENCE.gguf MODEL.gguf... TOKENS.json [--ctx N] [--mode all|half] [--threads N] "
     "[--max-windows N]"},
    {"imatrix", peer::collect_importance, "MODEL.gguf TOKENS.json OUT.gguf [--ctx N] [--output]"},
    {"bench-prompt", peer::bench_prompt, "MODEL.gguf N_TOKENS [THREADS] [--ctx N] [--reps N]"},
    {"encode", peer::encode, "TYPE IN.f32 COLUMNS OUT.bin [WEIGHTS.f32]"},
    {"dequant", peer::decode, "TYPE IN.bin OUT.f32"},
    {"bench-encode", peer::bench_encode,
     "TYPE ROWS COLUMNS SEED [imatrix] [--dist gauss|t4|laplace] [--reps N] [--dump F] "
     "[--dump-input F] [--dump-weights F]"},
}};

int usage() {
  std::fputs("usage: llama-peer [--lib FOLDER] [-v] COMMAND ...\n", stderr);
  for (const Command& command : kCommands) {
    std::fprintf(stderr, "  %s %s\n", command.name.data(), command.usage);
  }
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const peer::Arguments arguments(argc, argv);
    const char* folder = std::getenv("LLAMA_PEER_LIB");
    for (const Command& command : kCommands) {
      if (command.name != arguments.operand(0)) continue;
      peer::open_libraries(arguments.text("--lib", folder == nullptr ? "" : folder),
                           arguments.has("-v"));
      return command.run(arguments);
    }
  } catch (const peer::UsageError&) {
  } catch (const std::exception& error) {
    std::fprintf(stderr, "llama-peer: %s\n", error.what());
    return 1;
  }
  return usage();
}
