# `format` rewrites the sources, `format-check` fails when that would change anything.
find_program(LQ_CLANG_FORMAT NAMES clang-format-14)
if(LQ_CLANG_FORMAT)
  file(GLOB_RECURSE formatted CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/common/*.h ${PROJECT_SOURCE_DIR}/common/*.cpp
    ${PROJECT_SOURCE_DIR}/tools/*.h ${PROJECT_SOURCE_DIR}/tools/*.cpp
    ${PROJECT_SOURCE_DIR}/tests/*.h ${PROJECT_SOURCE_DIR}/tests/*.cpp
    ${PROJECT_SOURCE_DIR}/bench/*.h ${PROJECT_SOURCE_DIR}/bench/*.cpp)
  add_custom_target(format COMMAND ${LQ_CLANG_FORMAT} -i ${formatted})
  add_custom_target(format-check COMMAND ${LQ_CLANG_FORMAT} --dry-run --Werror ${formatted})
endif()
