import { equal, match, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError, type AnyGraph, run } from 'millrace'
import { validate } from 'millrace/analysis'

test('a message says what happened, where, and what to do', () => {
  const { message } = new MillraceError('NODE_UNKNOWN', { node: 'x', near: undefined, of: ['a', 'b'] })
  equal(
    message,
    'NODE_UNKNOWN: The graph has no node with this id. (node: x, near: undefined, of: ["a","b"]) ' +
      'Use the id exactly as the graph spells it.',
  )
})

test('a history is in the detail, and too long for a message', () => {
  const history = Array.from({ length: 6 }, () => ({ cause: 'a crash' }))
  const { message, detail } = new MillraceError('RESTARTS_EXHAUSTED', { node: 'work', reason: 'no such file', history })
  match(message, /\(node: work, reason: no such file\)/)
  equal(detail['history'], history)
})

test('problems get a line each, with a way out of its own', () => {
  const problems = [
    { code: 'A', message: 'One.', fix: 'Do this.' },
    { code: 'B', message: 'Two.', fix: 'Do that.' },
  ]
  const { message } = new MillraceError('GRAPH_INVALID', { graph: 'g', problems })
  equal(message, 'GRAPH_INVALID: The graph has problems. (graph: g)\n  A: One. Do this.\n  B: Two. Do that.')
})

test('what is no graph at all is refused like one', async () => {
  for (const graph of [undefined, null, 3, 'graph', {}, []] as unknown as AnyGraph[]) {
    equal(validate(graph)[0]!.severity, 'error')
    await rejects(run(graph), { code: 'GRAPH_INVALID' })
  }
})
