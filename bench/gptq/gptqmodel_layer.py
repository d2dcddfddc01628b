#!/usr/bin/env python3
"""GPTQModel's solver on one linear layer, on one thread: the peer of layer_speed.

gptqmodel_layer.py ROWS COLUMNS TOKENS [--bits N] [--group-size N] [--asym] [--mse X]

Prints one line of JSON: processor seconds of adding the tokens to its Hessian (batches of 512, BF16) and of the rest.
"""
import argparse
import json
import os
import sys
import tempfile
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("rows", "columns", "tokens"):
        parser.add_argument(name, metavar=name.upper(), type=int)
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--group-size", type=int, default=128)
    parser.add_argument("--asym", dest="sym", action="store_false")
    parser.add_argument("--mse", type=float, default=0.0)
    a = parser.parse_args()

    answers = os.fdopen(os.dup(1), "w")  # what the libraries print goes to standard error
    os.dup2(2, 1)
    for key, value in {"CUDA_VISIBLE_DEVICES": "", "DO_NOT_TRACK": "1", "LOGBAR_ANIMATION": "0", "OMP_NUM_THREADS": "1",
                       "OPENBLAS_NUM_THREADS": "1"}.items():
        os.environ.setdefault(key, value)
    os.chdir(tempfile.gettempdir())
    import torch
    from gptqmodel import QuantizeConfig
    from gptqmodel.quantization.gptq import GPTQ
    torch.set_num_threads(1)
    torch.manual_seed(0)

    layer = torch.nn.Linear(a.columns, a.rows, bias=False, dtype=torch.bfloat16)
    torch.nn.init.normal_(layer.weight, 0, 0.02)
    layer.weight.requires_grad_(False)
    size, shared = torch.randn(a.columns).exp(), torch.randn(a.columns)
    gptq = GPTQ(layer, QuantizeConfig(bits=a.bits, group_size=a.group_size, sym=a.sym, mse=a.mse, device="cpu"))
    gptq.quantizer.configure(perchannel=True)
    seconds = {"gram": 0.0, "solve": 0.0}
    with torch.inference_mode():
        for first in range(0, a.tokens, 512):
            n = min(512, a.tokens - first)
            x = (size * (torch.randn(n, a.columns) + 0.5 * torch.randn(n, 1) * shared)).bfloat16().unsqueeze(0)
            begin = time.process_time()
            gptq.add_batch(x, None)
            seconds["gram"] += time.process_time() - begin
        begin = time.process_time()
        gptq.quantize()
        seconds["solve"] = time.process_time() - begin
    print(json.dumps({key: round(value, 3) for key, value in seconds.items()}), file=answers, flush=True)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
