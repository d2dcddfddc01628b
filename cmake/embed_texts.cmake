# cmake -DTEXTS=<folder> -DOUTPUT=<file.cpp> -P embed_texts.cmake: the files of a folder as default_texts().
file(GLOB files LIST_DIRECTORIES false ${TEXTS}/*.txt)
list(SORT files)
set(rows "")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" text)
  string(APPEND rows "    {\"${name}\", R\"text(${text})text\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made by cmake/embed_texts.cmake.
#include \"common/calibration/default_texts.h\"

namespace lq::calibration {
namespace {

constexpr DefaultText kTexts[] = {
${rows}};

}  // namespace

std::span<const DefaultText> default_texts() { return kTexts; }

}  // namespace lq::calibration
")
