# `headers` compiles every header on its own, so that each includes what it uses.
file(GLOB_RECURSE headers RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/common/*.h ${PROJECT_SOURCE_DIR}/tools/*.h)
# Highway's -inl.h files are compiled several times inside the file that includes them, never alone.
list(FILTER headers EXCLUDE REGEX "-inl\\.h$")
set(sources)
foreach(header ${headers})
  set(source ${PROJECT_BINARY_DIR}/headers/${header}.cpp)
  if(NOT EXISTS ${source})
    file(WRITE ${source} "#include \"${header}\"\n")
  endif()
  list(APPEND sources ${source})
endforeach()
add_library(headers OBJECT EXCLUDE_FROM_ALL ${sources})
target_link_libraries(headers PRIVATE
  lq_flags fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json yaml-cpp hwy::hwy OpenSSL::Crypto)
