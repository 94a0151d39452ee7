"""Reference values of lucidrains' U-Net in other sizes, with the gradient of every parameter: python3 variants.py > variants.json

The network is written after denoising-diffusion-pytorch 2.3.1 with its parameter names, and is checked first against io.safetensors, which his own
code made. Weights and inputs are numbers that any language can make again (`noise`). Needs numpy and torch; computes in float64.
"""
import json, math, struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    def __init__(s, d): super().__init__(); s.scale=d**.5; s.g=nn.Parameter(torch.ones(1,d,1,1))
    def forward(s,x): return F.normalize(x,dim=1)*s.g*s.scale
class Block(nn.Module):
    def __init__(s,i,o): super().__init__(); s.proj=nn.Conv2d(i,o,3,padding=1); s.norm=RMSNorm(o)
    def forward(s,x,ss=None):
        x=s.norm(s.proj(x))
        if ss is not None: x=x*(ss[0]+1)+ss[1]
        return F.silu(x)
class Res(nn.Module):
    def __init__(s,i,o,t):
        super().__init__(); s.mlp=nn.Sequential(nn.SiLU(),nn.Linear(t,2*o)); s.block1=Block(i,o); s.block2=Block(o,o)
        if i!=o: s.res_conv=nn.Conv2d(i,o,1)
        s.same=i==o
    def forward(s,x,t):
        ss=s.mlp(t)[:,:,None,None].chunk(2,dim=1)
        return s.block2(s.block1(x,ss))+(x if s.same else s.res_conv(x))
class Attn(nn.Module):
    def __init__(s,dim,full,heads,d,mem=4):
        super().__init__(); s.full,s.h,s.d=full,heads,d; s.norm=RMSNorm(dim)
        s.mem_kv=nn.Parameter(torch.randn(*((2,heads,mem,d) if full else (2,heads,d,mem))))
        s.to_qkv=nn.Conv2d(dim,3*heads*d,1,bias=False); o=nn.Conv2d(heads*d,dim,1)
        s.to_out=o if full else nn.Sequential(o,RMSNorm(dim))
    def forward(s,x):
        b,c,h,w=x.shape
        q,k,v=[t.reshape(b,s.h,s.d,h*w) for t in s.to_qkv(s.norm(x)).chunk(3,dim=1)]
        mk,mv=[t[None].expand(b,-1,-1,-1) for t in s.mem_kv]
        if s.full:
            q,k,v=[t.transpose(2,3) for t in (q,k,v)]
            k,v=torch.cat([mk,k],2),torch.cat([mv,v],2)
            o=((q@k.transpose(2,3))*s.d**-.5).softmax(-1)@v
            o=o.transpose(2,3)
        else:
            k,v=torch.cat([mk,k],3),torch.cat([mv,v],3)
            q=q.softmax(2)*s.d**-.5; k=k.softmax(3)
            ctx=torch.einsum('bhdn,bhen->bhde',k,v); o=torch.einsum('bhde,bhdn->bhen',ctx,q)
        return s.to_out(o.reshape(b,s.h*s.d,h,w))
class Unshuffle(nn.Module):
    def forward(s,x):
        b,c,h,w=x.shape
        return x.reshape(b,c,h//2,2,w//2,2).permute(0,1,3,5,2,4).reshape(b,4*c,h//2,w//2)
class Pos(nn.Module):
    def __init__(s,d): super().__init__(); s.d=d
    def forward(s,t):
        h=s.d//2; e=torch.exp(torch.arange(h,dtype=t.dtype)*-(math.log(10000)/(h-1))); e=t[:,None]*e[None]
        return torch.cat((e.sin(),e.cos()),-1)
class Unet(nn.Module):
    def __init__(s,dim,mults,channels=3,full=None,heads=4,d=32):
        super().__init__(); n=len(mults); L=lambda v:list(v) if isinstance(v,(list,tuple)) else [v]*n
        full=full or [False]*(n-1)+[True]; heads,d=L(heads),L(d); td=4*dim
        s.init_conv=nn.Conv2d(channels,dim,7,padding=3); dims=[dim]+[dim*m for m in mults]
        s.time_mlp=nn.Sequential(Pos(dim),nn.Linear(dim,td),nn.GELU(),nn.Linear(td,td)); st=list(zip(dims[:-1],dims[1:],full,heads,d))
        s.downs=nn.ModuleList([nn.ModuleList([Res(i,i,td),Res(i,i,td),Attn(i,f,h,w),nn.Conv2d(i,o,3,padding=1) if k==n-1 else nn.Sequential(Unshuffle(),nn.Conv2d(4*i,o,1))]) for k,(i,o,f,h,w) in enumerate(st)])
        m=dims[-1]; s.mid_block1=Res(m,m,td); s.mid_attn=Attn(m,True,heads[-1],d[-1]); s.mid_block2=Res(m,m,td)
        s.ups=nn.ModuleList([nn.ModuleList([Res(i+o,o,td),Res(i+o,o,td),Attn(o,f,h,w),nn.Conv2d(o,i,3,padding=1) if k==n-1 else nn.Sequential(nn.Upsample(scale_factor=2,mode='nearest'),nn.Conv2d(o,i,3,padding=1))]) for k,(i,o,f,h,w) in enumerate(reversed(st))])
        s.final_res_block=Res(2*dim,dim,td); s.final_conv=nn.Conv2d(dim,channels,1)
    def forward(s,x,t):
        x=s.init_conv(x); r=x; t=s.time_mlp(t); hs=[]
        for a,b,at,dn in s.downs:
            x=a(x,t); hs.append(x); x=b(x,t); x=at(x)+x; hs.append(x); x=dn(x)
        x=s.mid_block1(x,t); x=s.mid_attn(x)+x; x=s.mid_block2(x,t)
        for a,b,at,up in s.ups:
            x=a(torch.cat((x,hs.pop()),1),t); x=b(torch.cat((x,hs.pop()),1),t); x=at(x)+x; x=up(x)
        return s.final_conv(s.final_res_block(torch.cat((x,r),1),t))

def noise(count, seed):
    """Numbers in [-1, 1): murmur3's finalizer of index + 2**20 * seed."""
    x = np.arange(count, dtype=np.uint32) + np.uint32(seed << 20)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    return x / 2.0**31 - 1


def make(shape, seed, kind):
    """A parameter: kind is 'memory', 'gain', 'bias' or 'weight'."""
    v = noise(math.prod(shape), seed).reshape(shape)
    scale = {'memory': 1, 'gain': 0.25, 'bias': 0.1, 'weight': 1 / math.sqrt(math.prod(shape[1:]))}[kind]
    return torch.from_numpy(v * scale + (1 if kind == 'gain' else 0)).float()  # rounded to f32, as the reader has them


def kind(name):
    return 'memory' if name.endswith('mem_kv') else 'gain' if name.endswith('.g') else 'bias' if name.endswith('bias') else 'weight'


def read(path):
    b = (Path(__file__).parent / path).read_bytes()
    n = struct.unpack('<Q', b[:8])[0]
    entries = {k: v for k, v in json.loads(b[8:8 + n]).items() if k != '__metadata__'}
    part = lambda v: np.frombuffer(b[8 + n + v['data_offsets'][0]:8 + n + v['data_offsets'][1]], 'f4').reshape(v['shape'])
    return {k: torch.from_numpy(part(v).copy()) for k, v in entries.items()}


def numbers(t):
    return [float('%.8g' % v) for v in t.detach().flatten().tolist()]


def run(u, x, t, cotangent):
    u, x = u.double(), x.double().requires_grad_()
    y = u(x, t.double())
    (y * cotangent.double()).sum().backward()
    return y, x.grad


def gradients(u):
    """Of each parameter: its shape, its gradient's norm, and its gradient's product with noise of the parameter's number among the sorted names."""
    product = lambda g, seed: (g.flatten() * torch.from_numpy(noise(g.numel(), seed))).sum()
    row = lambda p, seed: {'shape': list(p.shape), 'norm': numbers(p.grad.norm())[0], 'product': numbers(product(p.grad, seed))[0]}
    return {k: row(p, i) for i, (k, p) in enumerate(sorted(u.named_parameters()))}


def variant(name, height, width, **config):
    u = Unet(8, (1, 2), **config)
    u.load_state_dict({k: make(tuple(p.shape), i, kind(k)) for i, (k, p) in enumerate(sorted(u.named_parameters()))})
    shape = (2, config.get('channels', 3), height, width)
    x, cotangent = (torch.from_numpy(noise(math.prod(shape), seed)).float().reshape(shape) for seed in (1001, 1002))
    y, dx = run(u, x, torch.tensor([3.0, 700.0]), cotangent)
    return {'name': name, 'height': height, 'width': width, 'config': config, 'output': numbers(y), 'grad_sample': numbers(dx), 'gradients': gradients(u)}


def golden():
    io, u = read('io.safetensors'), Unet(16, (1, 2, 4))
    u.load_state_dict(read('weights.safetensors'))
    y, dx = run(u, io['sample'], io['timestep'], io['cotangent'])
    for ours, his in ((y, io['output']), (dx, io['grad_sample'])):
        assert (ours - his).abs().max() < 1e-5 * his.abs().max()
    return gradients(u)


print(json.dumps({'golden': golden(), 'variants': [
    variant('non-square images', 16, 24),
    variant('one channel', 8, 8, channels=1),
    variant('full attention in every stage', 8, 8, full=[True, True]),
    variant('linear attention in every stage', 8, 8, full=[False, False]),
    variant('heads and their widths per stage', 8, 8, heads=[2, 3], d=[8, 5]),
]}))
