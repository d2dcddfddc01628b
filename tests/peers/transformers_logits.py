"""The logits of transformers in float32, for tests/forward/transformers_peer_test.cpp.

transformers_logits.py JOBS.json

JOBS.json is a list of {"model": directory, "windows": [[id, ...], ...], "logits": file}. The logits of each window,
evaluated on its own, go to the file one after the other as float32 [tokens, vocabulary].
"""
import json
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false", CUDA_VISIBLE_DEVICES="")

import torch
import transformers


def run(job):
    model, report = transformers.AutoModelForCausalLM.from_pretrained(
        job["model"], dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report.get(what):
            sys.exit(f"{job['model']}: {what}: {sorted(map(str, report[what]))}")
    model.eval()
    with torch.inference_mode(), open(job["logits"], "wb") as file:
        for window in job["windows"]:
            logits = model(torch.tensor([window]), use_cache=False).logits[0]
            file.write(logits.to(torch.float32).contiguous().numpy().tobytes())


torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
for one in json.load(open(sys.argv[1])):
    run(one)
