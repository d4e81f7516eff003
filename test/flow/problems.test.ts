/** Every problem of a flow: provoked, told at once with the others, and explained in the docs. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type MillraceError } from 'millrace'
import { type AnyFlow, FLOW_PROBLEMS, type FlowProblemCode, flow, runFlow } from 'millrace/flow'

const map = (n: number): number => n
const join = (): number => 1
const one = flow('one').step('a', { map })
const two = one.step('b', { map })
const any = (built: unknown): AnyFlow => built as AnyFlow

const PROVOKED: Readonly<Record<FlowProblemCode, { readonly flow: AnyFlow; readonly step?: string }>> = {
  FLOW_EMPTY: { flow: one.subflow('empty', flow('empty')).edge('a', 'empty' as never), step: 'empty' },
  FLOW_NAME_INVALID: { flow: flow('f').step('request', { map }), step: 'request' },
  FLOW_NAME_DUPLICATE: { flow: any(one.step('a', { map })), step: 'a' },
  FLOW_EDGE_UNKNOWN: { flow: any(one.edge('a', 'nowhere' as never)), step: 'nowhere' },
  FLOW_EDGE_DUPLICATE: { flow: two.edge('a', 'b').edge('a', 'b'), step: 'a' },
  FLOW_CYCLE: {
    flow: two.step('c', { map }).edge('a', 'b').edge('b', 'c').edge('c', 'b'),
    step: 'b',
  },
  FLOW_ENTRY_SEVERAL: { flow: two.step('c', { join }).edge('a', 'c').edge('b', 'c'), step: 'b' },
  FLOW_END_SEVERAL: { flow: two.step('c', { map }).edge('a', 'b').edge('a', 'c'), step: 'b' },
  FLOW_JOIN_MISSING: {
    flow: two.step('c', { map }).step('d', { map }).edge('a', 'b').edge('a', 'c').edge('b', 'd').edge('c', 'd'),
    step: 'd',
  },
  FLOW_JOIN_UNUSED: { flow: one.step('b', { join }).edge('a', 'b'), step: 'b' },
  FLOW_HANDLER_MISSING: { flow: flow('f').step('a', {} as never), step: 'a' },
  FLOW_BRANCH_EMPTY: { flow: flow('f').branch('a', { when: () => [], branches: {} }), step: 'a' },
  FLOW_OPTION_INVALID: { flow: flow('f', undefined, { maxRequests: 0 }).step('a', { map }) },
}

for (const [code, { flow: given, step }] of Object.entries(PROVOKED)) {
  test(`${code} names its step, and refuses the flow`, async () => {
    const found = given.problems.filter((problem) => problem.code === code)
    assert.deepEqual(
      found.map((problem) => problem.step),
      [step],
      JSON.stringify(given.problems),
    )
    assert.throws(() => given.nodes, { code: 'FLOW_INVALID' })
    const error = await runFlow(given).then(
      () => assert.fail('it runs'),
      (thrown: MillraceError) => thrown,
    )
    assert.equal(error.code, 'FLOW_INVALID')
    assert.ok(error.message.includes(`${code}: `))
  })
}

test('a step that waits for itself is a cycle; problems inside other flows name the way to them; all are told', () => {
  const self = any(one.edge('a', 'a' as never))
  assert.deepEqual(
    self.problems.map(({ code }) => code),
    ['FLOW_CYCLE'],
  )
  const inner = flow('inner').branch('pick', { when: () => [], branches: { none: flow('none'), bad: any(two) } })
  const outer = flow('outer', undefined, { joinBytes: 1 }).forEach('all', { items: () => [], each: inner, maxItems: 0 })
  assert.deepEqual(
    outer.problems.map(({ code, step }) => [code, step]),
    [
      ['FLOW_OPTION_INVALID', undefined],
      ['FLOW_EMPTY', 'all.each.pick.none'],
      ['FLOW_ENTRY_SEVERAL', 'all.each.pick.bad.b'],
      ['FLOW_END_SEVERAL', 'all.each.pick.bad.a'],
      ['FLOW_OPTION_INVALID', 'all'],
    ],
  )
})

test('docs/requests.md explains every problem as the table does', () => {
  const text = readFileSync(new URL('../../../docs/requests.md', import.meta.url), 'utf8')
  for (const [code, { text: what, fix }] of Object.entries(FLOW_PROBLEMS))
    assert.ok(text.includes(`| \`${code}\` | ${what} | ${fix} |`), code)
})
