import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EdgeOptions, type GraphData, dataflow } from 'millrace'
import { termsOf } from '#src/plan/terms.js'

const graph = (options: EdgeOptions<any> = {}, from = 'in'): GraphData =>
  dataflow('terms').source(from).sink('out').connect(from, 'out', options)

const terms = (options: EdgeOptions<any> = {}, from?: string): string => termsOf(graph(options, from), [0])

test('the terms of a lane name its ends, and say what codec it has where none is given', () => {
  assert.equal(terms(), '"in" -> "out" {"codec":"shape"}')
})

test('whatever changes what goes over a lane changes its terms', () => {
  const all = [
    terms(),
    terms({}, 'other'),
    terms({ dataType: 'Order' }),
    terms({ pathType: 'retry' }),
    terms({ when: 'large' }),
    terms({ codec: 'json' }),
    terms({ codec: { struct: 'f64' } }),
    terms({ codec: { struct: { a: 'f64', b: 'i32' } } }),
    terms({ codec: { struct: { b: 'i32', a: 'f64' } } }),
    terms({ codec: { struct: { a: 'f64', b: 'u32' } } }),
    terms({ codec: { bytes: 'borrow' } }),
  ]
  assert.equal(new Set(all).size, all.length, all.join('\n'))
})

test('what is only drawn or reckoned with does not', () => {
  assert.equal(terms({ label: 'orders', rate: 7, weight: 3 }), terms())
})

test('a path of several edges has the terms of each; an edge that is not there is told', () => {
  const path = dataflow('path')
    .source('in')
    .buffer('wait')
    .sink('out')
    .connect('in', 'wait')
    .connect('wait', 'out', { codec: 'json' })
  assert.equal(termsOf(path, [0, 1]), '"in" -> "wait" {"codec":"shape"}; "wait" -> "out" {"codec":"json"}')
  assert.equal(termsOf(path, [2]), 'no edge')
})
