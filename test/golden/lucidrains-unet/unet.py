"""lucidrains' U-Net in PyTorch, written after denoising-diffusion-pytorch 2.3.1 (`Unet`) with its parameter names.

variants.py makes reference values with it, after checking it against io.safetensors, which his own code made; bench/peers trains it for comparison.
"""
import math

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
