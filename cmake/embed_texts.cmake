# cmake -DTEXTS=<folder> -DOUTPUT=<file.cpp> -DHEADER=<path> -DNAMESPACE=<name> -DFUNCTION=<name> -P embed_texts.cmake:
# the files of a folder as the texts that a function returns, which a header declares.
file(GLOB files LIST_DIRECTORIES false ${TEXTS}/*.txt)
list(SORT files)
set(rows "")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" text)
  string(APPEND rows "    {\"${name}\", R\"text(${text})text\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made by cmake/embed_texts.cmake.
#include \"${HEADER}\"

namespace lq::${NAMESPACE} {
namespace {

constexpr calibration::DefaultText kTexts[] = {
${rows}};

}  // namespace

std::span<const calibration::DefaultText> ${FUNCTION}() { return kTexts; }

}  // namespace lq::${NAMESPACE}
")
