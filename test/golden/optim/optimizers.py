"""The reference values of optimizers.json: torch.optim in f64, ten steps. `python3 optimizers.py > optimizers.json`."""
import json, sys
import torch
torch.set_default_dtype(torch.float64)
# a convex quadratic with a twist: gradients depend on the parameters, so that an error of one step shows in the next
def params():
    return {'a': torch.tensor([0.5,-1.5,2.0],requires_grad=True), 'b': torch.tensor([[1.0,-0.25],[0.75,3.0]],requires_grad=True)}
target={'a':torch.tensor([1.0,0.0,-1.0]),'b':torch.tensor([[0.0,0.5],[-0.5,1.0]])}
def loss(p): # gradient: (x - t) + 0.3 x^3
    return sum((0.5*(p[k]-target[k])**2 + 0.075*p[k]**4).sum() for k in p)
cases={
 'sgd':('SGD',dict(lr=0.05)),
 'sgd-momentum':('SGD',dict(lr=0.05,momentum=0.9)),
 'sgd-nesterov':('SGD',dict(lr=0.05,momentum=0.9,nesterov=True)),
 'sgd-weight-decay':('SGD',dict(lr=0.05,momentum=0.9,weight_decay=0.1)),
 'adam':('Adam',dict(lr=0.1)),
 'adam-lucidrains':('Adam',dict(lr=0.1,betas=(0.9,0.99))),
 'adam-weight-decay':('Adam',dict(lr=0.1,weight_decay=0.1)),
 'adamw':('AdamW',dict(lr=0.1,weight_decay=0.1)),
 'adamw-eps':('AdamW',dict(lr=0.1,betas=(0.95,0.999),weight_decay=0.01,eps=1e-3)),
}
out={}
for name,(cls,kw) in cases.items():
    for clip in ([None,0.7] if name=='adam' else [None]):
        p=params(); opt=getattr(torch.optim,cls)(p.values(),**kw); traj=[]
        for i in range(10):
            opt.zero_grad(); loss(p).backward()
            if clip: torch.nn.utils.clip_grad_norm_(list(p.values()),clip)
            opt.step()
            if i in (0,1,9): traj.append({'step':i+1,'a':p['a'].tolist(),'b':p['b'].flatten().tolist()})
        out[name+('-clip' if clip else '')]={'options':kw,'params':traj}
json.dump({'reference':'torch '+torch.__version__+' CPU float64','runs':out},sys.stdout,indent=1)
