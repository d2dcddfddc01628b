"""One ratio of AutoAWQ's search of scales, and one step of its clipping, for a layer of a Llama model with random weights.

  reference_search.py HIDDEN FFN HEADS TOKENS

Written after the description of the method (arXiv 2306.00978) and what AutoAWQ 0.2.9 computes. For each ratio and each group of
linear layers: the weights are scaled, rounded to 4 bits in groups of 128 and divided by the scales again, and the module that
holds them is run over the tokens: attention whole for q, k and v; o; the MLP whole for gate and up; down. The mean square of
the difference of its output is the loss. Clipping tries, for every linear layer but q and k, ranges from the whole down to a half in
10 steps, over 512 tokens. Bfloat16 products on all threads that torch is allowed. Prints processor seconds as a line of JSON:
of a ratio, by group, and of a step of clipping; 20 ratios and 10 steps are a search.
"""
import json, sys, time

import torch
import torch.nn.functional as F

hidden, ffn, heads, tokens = map(int, sys.argv[1:5])
GROUP, WINDOW, CLIP_TOKENS = 128, 512, 512
torch.manual_seed(0)
torch.set_num_threads(1)
dtype = torch.bfloat16
weight = lambda rows, columns: torch.randn(rows, columns, dtype=dtype) * 0.02
q, k, v, o = (weight(hidden, hidden) for _ in range(4))
gate, up, down = weight(ffn, hidden), weight(ffn, hidden), weight(hidden, ffn)
x = torch.randn(tokens // WINDOW, WINDOW, hidden, dtype=dtype)


def attention(x, q, k, v, o):
    split = lambda y: y.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)
    y = F.scaled_dot_product_attention(split(x @ q.T), split(x @ k.T), split(x @ v.T), is_causal=True)
    return y.transpose(1, 2).reshape(x.shape[0], x.shape[1], -1) @ o.T


def mlp(x, gate, up, down):
    return (F.silu(x @ gate.T) * (x @ up.T)) @ down.T


def rounded(w):
    groups = w.view(-1, GROUP)
    high, low = groups.amax(1, keepdim=True), groups.amin(1, keepdim=True)
    step = (high - low).clamp(min=1e-5) / 15
    zero = (-(low / step).round()).clamp(0, 15)
    return (((groups / step).round() + zero).clamp(0, 15) - zero).mul(step).view(w.shape)


def ratio(module, x, scaled, fixed, wanted):
    """Loss of one candidate."""
    s = torch.rand(x.shape[-1]).to(dtype) + 0.5
    weights = [rounded(w * s) / s for w in scaled]
    return (module(x, *weights, *fixed) - wanted).float().pow(2).mean().item()


def clip_step(w, x):
    """One range, for all rows of a layer: outputs of each group by itself."""
    n_groups = w.shape[1] // GROUP
    inputs = x.reshape(-1, n_groups, GROUP)[:CLIP_TOKENS]
    error = 0.0
    for first in range(0, w.shape[0], 64):
        part = w[first : first + 64].view(64, n_groups, GROUP)
        bound = part.abs().amax(-1, keepdim=True) * 0.9
        clipped = rounded(part.clamp(-bound, bound).reshape(64, -1)).view_as(part)
        wanted = torch.einsum("tgc,rgc->trg", inputs, part)
        error += (torch.einsum("tgc,rgc->trg", inputs, clipped) - wanted).float().pow(2).mean(0).sum().item()
    return error


def seconds(work):
    begin = time.process_time()
    work()
    return time.process_time() - begin


inside = torch.randn(tokens // WINDOW, WINDOW, ffn, dtype=dtype)
linear = lambda x, w: x @ w.T
groups = {
    "qkv": (attention, x, (q, k, v), (o,)),
    "o": (linear, x, (o,), ()),
    "gate_up": (mlp, x, (gate, up), (down,)),
    "down": (linear, inside, (down,), ()),
}
out = {}
with torch.inference_mode():
    for name, (module, inputs, scaled, fixed) in groups.items():
        wanted = module(inputs, *scaled, *fixed)
        out[name] = seconds(lambda: ratio(module, inputs, scaled, fixed, wanted))
    flat, flat_inside = x.reshape(-1, hidden), inside.reshape(-1, ffn)
    out["clip_step"] = seconds(lambda: [clip_step(w, flat) for w in (v, o, gate, up)] + [clip_step(down, flat_inside)])
print(json.dumps({name: round(value, 2) for name, value in out.items()}))
