mkdir gone
cd gone
rmdir ../gone
lq-inspect .
