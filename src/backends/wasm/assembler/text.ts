/** Functions in WebAssembly's text format, folded: operands stand inside their instruction. */
import type { Expression, Statement } from './code.ts'
import type { FunctionDefinition } from './module.ts'

const immediatesOf = (op: string, immediates: readonly number[]): string => {
  if (op.includes('.load') || op.includes('.store') || op.includes('.atomic')) {
    const [offset = 0, ...lane] = immediates
    return `${offset === 0 ? '' : ` offset=${offset}`}${lane.map((l) => ` ${l}`).join('')}`
  }
  return immediates.map((n) => ` ${n}`).join('')
}

const spelled = (x: Extract<Expression, { readonly kind: 'constant' }>): string => {
  if (typeof x.value === 'bigint') return `${x.value}`
  if (Number.isNaN(x.value)) return 'nan'
  if (!Number.isFinite(x.value)) return x.value > 0 ? 'inf' : '-inf'
  return Object.is(x.value, -0) ? '-0' : `${x.value}`
}

const list = (head: string, args: readonly Expression[]): string =>
  args.length === 0 ? `(${head})` : `(${head} ${args.map(showExpression).join(' ')})`

const showExpression = (x: Expression): string => {
  switch (x.kind) {
    case 'constant':
      return `(${x.type}.const ${spelled(x)})`
    case 'get':
      return `(local.get $${x.local.name})`
    case 'tee':
      return `(local.tee $${x.local.name} ${showExpression(x.value)})`
    case 'select':
      return list('select', [x.yes, x.no, x.condition])
    case 'call':
      return list(`call $${x.callee}`, x.args)
    case 'apply':
      return list(`${x.op}${immediatesOf(x.op, x.immediates)}`, x.args)
  }
}

const showStatement = (s: Statement, indent: string): string => {
  const inner = `${indent}  `
  const lines = (body: readonly Statement[]): string => body.map((b) => showStatement(b, inner)).join('\n')
  switch (s.kind) {
    case 'set':
      return `${indent}(local.set $${s.local.name} ${showExpression(s.value)})`
    case 'store':
      return `${indent}${list(`${s.op}${immediatesOf(s.op, s.immediates)}`, s.args)}`
    case 'drop':
      return `${indent}(drop ${showExpression(s.value)})`
    case 'call indirect':
      return `${indent}${list(`call_indirect (param ${s.parameters.join(' ')})`, [...s.args, s.index])}`
    case 'block':
    case 'loop':
      return `${indent}(${s.kind} $${s.label}\n${lines(s.body)})`
    case 'if': {
      const no =
        s.no.length === 0 ? '' : `\n${inner}(else\n${s.no.map((b) => showStatement(b, `${inner}  `)).join('\n')})`
      const yes = s.yes.map((b) => showStatement(b, `${inner}  `)).join('\n')
      return `${indent}(if ${showExpression(s.condition)}\n${inner}(then\n${yes})${no})`
    }
    case 'branch':
      return s.condition === undefined
        ? `${indent}(br $${s.label})`
        : `${indent}(br_if $${s.label} ${showExpression(s.condition)})`
    case 'return':
      return `${indent}(return)`
  }
}

/** The function as text. */
export const showFunction = ({ name, parameters, result, body, value }: FunctionDefinition): string => {
  const head = [
    `func $${name}`,
    ...parameters.map((p) => `(param $${p.name} ${p.type})`),
    ...(result === undefined ? [] : [`(result ${result})`]),
  ].join(' ')
  const last = value === undefined ? [] : [`  ${showExpression(value)}`]
  return `(${[head, ...body.map((s) => showStatement(s, '  ')), ...last].join('\n')})`
}
