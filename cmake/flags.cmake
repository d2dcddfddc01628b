# Compiler flags of everything we build. `lq_flags` is linked by every target of ours and by nothing else.
add_library(lq_flags INTERFACE)
target_include_directories(lq_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(lq_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor -Werror
  # g++ 12 sees overlaps in `"text" + std::string` that are not there (GCC bug 105651).
  -Wno-restrict
  # Output bytes must not depend on which products the compiler fuses.
  -ffp-contract=off)

if(LQ_ASSERTIONS)
  string(REPLACE "-DNDEBUG" "" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
endif()
if(LQ_SANITIZE)
  target_compile_options(lq_flags INTERFACE
    -fsanitize=${LQ_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    # Instrumented code hides from g++ 12 what is initialised, <regex> above all (GCC bug 105562).
    -Wno-maybe-uninitialized)
  target_link_options(lq_flags INTERFACE -fsanitize=${LQ_SANITIZE})
endif()
