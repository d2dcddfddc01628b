# An unknown key in a recipe is refused with file, line and the nearest key.
printf 'common:\n  threads: 2\n  memry: 4G\n' > recipe.yaml
"$LQ_TOOL" --config recipe.yaml x
