#!/usr/bin/env python3
"""vllm-peer.py MODEL_DIR [MODEL_DIR ...] TOKENS.json [--window N] [--max-windows N] [--dtype auto|bfloat16|float16|float32]
                [--logprobs OUT.json] [--generate N] [--w4a8] [--timeout S] [-v]

Loads a Hugging Face directory with the real vLLM on the CPU, scores the tokens and prints one JSON line:
perplexity, nll, tokens, quantization (vLLM's name), methods (class of every kind of linear, with its kernel and a count),
dtype, seconds, and with --generate the greedy continuation of the first 16 tokens of the first window.
If vLLM does not take the directory, prints {"refused": "reason", ...}; the exit status is 3 if any directory was refused.

TOKENS.json: a list of token ids (cut into windows of --window, default 256, with the model's bos token in front of each,
every other token scored once), or a list of windows, which are used as they are.
"""
import argparse
import json
import math
import os
import signal
import sys
import tempfile
import time


def windows_of(ids, bos, window):
    if not ids or isinstance(ids[0], list):
        return [w for w in ids if len(w) > 1]
    body = ids[1:] if bos is not None and ids[0] == bos else ids
    front = [] if bos is None else [bos]
    size = window - len(front)
    cut = [front + body[i:i + size] for i in range(0, len(body), size)]
    return [w for w in cut if len(w) > 1]


def cause_of(error):
    """The message at the root of the chain, without pydantic's decoration."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [x.strip() for x in str(error).splitlines() if x.strip()]
    if type(error).__name__ == "ValidationError":
        lines = [x for x in lines if "validation error" not in x and "For further information" not in x]
        lines = [x.split(" [type=")[0] for x in lines]
    text = " ".join(lines) if lines else "(no message)"
    return type(error).__name__ + ": " + text


def describe(model):
    count = {}
    for module in model.modules():
        method = getattr(module, "quant_method", None)
        if method is None:
            continue
        scheme = getattr(module, "scheme", None)
        kernel = getattr(method, "kernel", None) or getattr(scheme, "kernel", None)
        name = type(scheme or method).__name__
        if kernel is not None:
            name += "/" + type(kernel).__name__
        if getattr(module, "use_w4a8", False):
            name += " (8-bit activations)"
        count[name] = count.get(name, 0) + 1
    return count


def run_one(a, path, vllm):
    from vllm import LLM, SamplingParams, TokensPrompt
    answer = {"model": os.path.basename(os.path.normpath(path)), "vllm": vllm.__version__}
    start = time.time()
    try:
        import torch
        if torch.cpu._is_amx_tile_supported():
            torch.cpu._init_amx()  # asks the kernel for the AMX state; vLLM 0.32.0 forgets it on the 4-bit bfloat16 path
        config = json.load(open(os.path.join(path, "config.json")))
        windows = windows_of(json.load(open(a.tokens)), config.get("bos_token_id"), a.window)[:a.max_windows]
        longest = max(len(w) for w in windows)
        llm = LLM(
            model=path, dtype=a.dtype, enforce_eager=True, disable_log_stats=True, seed=0,
            max_model_len=min(longest + 1 + a.generate, config.get("max_position_embeddings", 1 << 30)),
            max_num_seqs=4, max_num_batched_tokens=4096, enable_prefix_caching=False, skip_tokenizer_init=not a.generate,
        )
        loaded = time.time()
        mc = llm.llm_engine.model_config
        answer["quantization"] = mc.quantization or "none"
        answer["dtype"] = str(mc.dtype).replace("torch.", "")
        answer["methods"] = llm.apply_model(describe)[0]
        params = SamplingParams(max_tokens=1, temperature=0.0, prompt_logprobs=0, detokenize=False)
        outputs = llm.generate([TokensPrompt(prompt_token_ids=w) for w in windows], params, use_tqdm=False)
        rows = [[None] + [float(entry[t].logprob) for t, entry in zip(w[1:], out.prompt_logprobs[1:])]
                for w, out in zip(windows, outputs)]
        flat = [x for row in rows for x in row[1:]]
        nll = -sum(flat) / len(flat)
        finite = math.isfinite(nll)
        answer.update(perplexity=math.exp(min(nll, 700)) if finite else None, nll=nll if finite else None,
                      tokens=len(flat), windows=len(rows))
        if a.logprobs:
            json.dump(rows, open(a.logprobs, "w"))
        if a.generate:
            params = SamplingParams(max_tokens=a.generate, temperature=0.0)
            out = llm.generate([TokensPrompt(prompt_token_ids=windows[0][:16])], params, use_tqdm=False)[0].outputs[0]
            answer.update(generated=out.text, generated_ids=list(out.token_ids))
        answer["seconds"] = {"load": round(loaded - start, 1), "run": round(time.time() - loaded, 1)}
    except BaseException as error:  # noqa: BLE001 - every failure is an answer here
        import traceback
        traceback.print_exc()
        answer["refused"] = cause_of(error)
        answer["seconds"] = {"total": round(time.time() - start, 1)}
    return answer


def forked(a, path, vllm, folder):
    """Runs one model in a process of its own (vLLM is imported already), so that a crash is an answer too."""
    result = os.path.join(folder, "result.json")
    pid = os.fork()
    if not pid:
        os.setsid()
        try:
            json.dump(run_one(a, path, vllm), open(result, "w"))
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)  # the engine's shutdown has nothing to add
    deadline, code = time.time() + a.timeout, None
    while code is None:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = "signal %s" % signal.Signals(status & 127).name if status & 127 else "exit %d" % (status >> 8)
        elif time.time() > deadline:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            code = "no answer after %g s" % a.timeout
        else:
            time.sleep(0.02)
    try:
        answer = json.load(open(result))
        os.unlink(result)
        return answer
    except (OSError, ValueError):
        return {"model": os.path.basename(os.path.normpath(path)), "vllm": vllm.__version__, "refused": "crash: " + code}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("models", nargs="+", metavar="MODEL_DIR")
    ap.add_argument("tokens", metavar="TOKENS.json")
    ap.add_argument("--window", type=int, default=256)
    ap.add_argument("--max-windows", type=int, default=10 ** 9)
    ap.add_argument("--dtype", default="auto")
    ap.add_argument("--logprobs", metavar="OUT.json", help="per window: null, then the log-probability of every further token")
    ap.add_argument("--generate", type=int, default=0, metavar="N")
    ap.add_argument("--w4a8", action="store_true", help="leave vLLM's 8-bit activations on (its default on AMX processors)")
    ap.add_argument("--timeout", type=float, default=600, help="seconds per model")
    ap.add_argument("-v", action="store_true", help="show vLLM's log")
    a = ap.parse_args()
    if a.logprobs and len(a.models) > 1:
        ap.error("--logprobs takes one model")
    for path in [os.path.join(m, "config.json") for m in a.models] + [a.tokens]:
        if not os.path.isfile(path):
            sys.exit("error: no such file: " + path)
    for key, value in {
        "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
        "VLLM_HOST_IP": "127.0.0.1", "GLOO_SOCKET_IFNAME": "lo", "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))),
    }.items():
        os.environ.setdefault(key, value)
    os.environ["VLLM_CPU_INT4_W4A8"] = "1" if a.w4a8 else "0"
    answers = os.fdopen(os.dup(1), "w")  # vLLM writes to standard output and standard error
    errors = os.fdopen(os.dup(2), "w")
    refused = False
    with tempfile.TemporaryDirectory() as folder:
        if a.v:
            os.dup2(2, 1)
        else:
            log = os.open(os.path.join(folder, "log"), os.O_RDWR | os.O_CREAT | os.O_APPEND)
            os.dup2(log, 1)
            os.dup2(log, 2)
        try:
            import vllm
            from vllm import LLM  # noqa: F401 - imported here once, used after the fork
        except Exception as error:  # noqa: BLE001
            errors.write("error: vLLM cannot be imported: %s\nfix: bash install.sh DIR, then DIR/bin/python %s\n"
                         % (cause_of(error), sys.argv[0]))
            errors.flush()
            os._exit(1)
        for path in a.models:
            answer = forked(a, path, vllm, folder)
            refused |= "refused" in answer
            print(json.dumps(answer), file=answers, flush=True)
    os._exit(3 if refused else 0)


main()
