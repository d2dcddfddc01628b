# One folder, one library, one test program: files are found by their place, so adding one needs no edit here.

# lq_library(<folder> [dependencies...]): common/<folder>/*.cpp as target lq_<folder>.
function(lq_library folder)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/common/${folder}/*.cpp
                                      ${PROJECT_SOURCE_DIR}/common/${folder}/*/*.cpp)
  add_library(lq_${folder} STATIC ${sources})
  target_link_libraries(lq_${folder} PUBLIC ${ARGN} PRIVATE lq_flags)
  target_include_directories(lq_${folder} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

# lq_tool(<name> [dependencies...]): tools/<name>/*.cpp as executable <name>.
function(lq_tool name)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/${name}/*.cpp)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${ARGN} lq_flags)
  install(TARGETS ${name} RUNTIME)
endfunction()

# lq_tests(<folder> [dependencies...]): tests/<folder>/*_test.cpp as program test_<folder>, its cases labelled
# `unit`; *_conformance_test.cpp, *_cli_test.cpp and *_peer_test.cpp become programs of their own with those labels.
function(lq_tests folder)
  set(dir ${PROJECT_SOURCE_DIR}/tests/${folder})
  file(GLOB unit CONFIGURE_DEPENDS ${dir}/*_test.cpp)
  foreach(label conformance cli peer)
    file(GLOB ${label} CONFIGURE_DEPENDS ${dir}/*_${label}_test.cpp)
    if(${label})
      list(REMOVE_ITEM unit ${${label}})
    endif()
  endforeach()
  foreach(label unit conformance cli peer)
    if(NOT ${label})
      continue()
    endif()
    if("${label}" STREQUAL "peer" AND LQ_SANITIZE)
      continue() # a peer's libraries are not instrumented
    endif()
    set(target test_${folder}_${label})
    set(cost 100) # the long ones first, beside which the short ones run
    if("${label}" STREQUAL "unit")
      set(target test_${folder})
      set(cost 1)
    endif()
    add_executable(${target} ${${label}})
    target_link_libraries(${target} PRIVATE ${ARGN} lq_test_support GTest::gtest_main lq_flags)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>) # compiled once, run once
    gtest_discover_tests(${target}
      TEST_PREFIX ${folder}. NO_PRETTY_VALUES DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
      PROPERTIES LABELS ${label} TIMEOUT 900 COST ${cost})
  endforeach()
endfunction()
