# Run at every build: writes the header with the commit only when it has changed, so that one file is compiled again.
#   cmake -DSOURCE=DIR -DHEADER=FILE -P commit.cmake
execute_process(COMMAND git -C ${SOURCE} rev-parse --verify HEAD
  OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#define LQ_COMMIT \"${commit}\"\n")
