#!/usr/bin/env python3
"""GPTQModel on the CPU, as the peer of lq-quant-gptq.

gptqmodel_run.py MODEL_DIR WINDOWS OUT_DIR [--bits N] [--group-size N] [--sym | --asym] [--mse X] [--desc-act]
                 [--act-group-aware | --no-act-group-aware] [--format gptq|gptq_v2] [--dtype D] [--max-windows N]
                 [--threads N]

WINDOWS is a JSON list of windows of token ids to calibrate on, or the tokens.safetensors of a calibration. Prints one line
of JSON: seconds of wall and of processor time, of quantizing alone (forward passes, Hessians, solving, packing; from the loaded
model to the quantized one in memory) and of the whole process (with imports, loading, writing), peak memory,
versions and settings. The first run after installation compiles, within the time of quantizing: measure a second one.
"""
import argparse
import json
import os
import resource
import sys
import tempfile
import time


def cpu_seconds():
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def read_windows(path):
    if not path.endswith(".safetensors"):
        with open(path) as file:
            return json.load(file)
    from safetensors.numpy import load_file
    tensors = load_file(path)
    ids, offsets = tensors["ids"].tolist(), tensors["offsets"].tolist()
    return [ids[begin:end] for begin, end in zip(offsets, offsets[1:])]


def main():
    begin = time.time()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL_DIR")
    parser.add_argument("windows", metavar="WINDOWS")
    parser.add_argument("out", metavar="OUT_DIR")
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--group-size", type=int, default=128)
    parser.add_argument("--sym", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--asym", dest="sym", action="store_false")
    parser.add_argument("--mse", type=float, default=0.0, help="its search of ranges: the exponent of the error, 0 for none")
    parser.add_argument("--desc-act", action="store_true")
    parser.add_argument("--act-group-aware", action=argparse.BooleanOptionalAction, help="default: its own")
    parser.add_argument("--format", default="gptq", choices=("gptq", "gptq_v2"))
    parser.add_argument("--dtype", default="auto", help="of the model while it is quantized: auto, float32 or bfloat16")
    parser.add_argument("--max-windows", type=int)
    parser.add_argument("--threads", type=int, help="of torch; default: its own")
    a = parser.parse_args()

    answers = os.fdopen(os.dup(1), "w")  # what the libraries print goes to standard error
    os.dup2(2, 1)
    for key, value in {"CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "DO_NOT_TRACK": "1",
                       "TOKENIZERS_PARALLELISM": "false", "LOGBAR_ANIMATION": "0",
                       "GPTQMODEL_CPU_WORKERS": "2"}.items():  # with one it waits for itself
        os.environ.setdefault(key, value)
    import torch
    import transformers
    import gptqmodel
    from gptqmodel import GPTQModel, QuantizeConfig
    if a.threads:
        torch.set_num_threads(a.threads)

    windows = read_windows(a.windows)[:a.max_windows]
    source, out = (os.path.abspath(path) for path in (a.model, a.out))
    folder = tempfile.TemporaryDirectory()
    os.chdir(folder.name)  # it writes logs into the current directory
    examples = [{"input_ids": torch.tensor([w]), "attention_mask": torch.ones(1, len(w), dtype=torch.long)} for w in windows]
    settings = {"bits": a.bits, "group_size": a.group_size, "sym": a.sym, "desc_act": a.desc_act, "mse": a.mse, "format": a.format}
    if a.act_group_aware is not None:
        settings["act_group_aware"] = a.act_group_aware
    model = GPTQModel.load(source, QuantizeConfig(device="cpu", **settings), dtype=a.dtype)
    wall, cpu = time.time(), cpu_seconds()
    model.quantize(examples, batch_size=1)
    quantized = {"wall": round(time.time() - wall, 2), "cpu": round(cpu_seconds() - cpu, 2)}
    model.save(out)
    print(json.dumps({
        "quantize_seconds": quantized,
        "process_seconds": {"wall": round(time.time() - begin, 2), "cpu": round(cpu_seconds(), 2)},
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "windows": len(windows), "tokens": sum(map(len, windows)), "threads": torch.get_num_threads(), "settings": settings,
        "versions": {"gptqmodel": gptqmodel.__version__, "torch": torch.__version__, "transformers": transformers.__version__},
    }), file=answers, flush=True)
    os.chdir("/")
    folder.cleanup()
    os._exit(0)  # its worker threads have nothing to add


if __name__ == "__main__":
    sys.exit(main())
