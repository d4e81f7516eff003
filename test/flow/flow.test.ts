/** Flows answer: what each construct promises, one request at a time and many. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { MillraceError, type Pipeline } from 'millrace'
import { validate } from 'millrace/analysis'
import {
  type AnswerOf,
  type AnyFlow,
  type InputOf,
  type RunFlowOptions,
  type RunningFlow,
  runFlow,
} from 'millrace/flow'
import { assertConserved, until } from '../run/harness.js'
import * as flows from './flows.js'

const open: RunningFlow<any, any>[] = []
after(() => Promise.all(open.map((running) => running.pipeline.stop())))

async function started<F extends AnyFlow>(
  flow: F,
  options?: RunFlowOptions<any>,
): Promise<RunningFlow<InputOf<F>, AnswerOf<F>>> {
  const running = await runFlow(flow, options as never)
  open.push(running)
  return running
}

async function refusal(promise: Promise<unknown>): Promise<MillraceError> {
  const error = await promise.then(
    (answer) => assert.fail(`it was answered: ${JSON.stringify(answer)}`),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof MillraceError, String(error))
  return error
}

/** Nothing of any request is left anywhere. */
async function assertEmpty({ pipeline }: { pipeline: Pipeline }): Promise<void> {
  const left = (): number => Object.values(pipeline.snapshot().nodes).reduce((sum, { inFlight }) => sum + inFlight, 0)
  await until(() => left() === 0, 'nothing is left of any request')
  assertConserved(pipeline)
}

const range = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

test('one step answers, and several in a row answer what the last one does', async () => {
  const one = await started(flows.said)
  assert.equal(await one.execute('hallo'), 'you said "hallo"')
  const three = await started(flows.serial)
  assert.equal(await three.execute('x'), '3(2(1(x)))')
  const report = await three.drain()
  assert.equal(report.acked, 1)
})

test('a join gets the answers of its own request by name, however many are open', async () => {
  const running = await started(flows.diamond)
  const answers = await Promise.all(
    range(500).map((n) => running.execute({ n, ...(n % 50 === 0 ? { waitMs: 5 } : {}) })),
  )
  answers.forEach((answer, n) => assert.deepEqual(answer, { n, left: 2 * n, right: n + 1, sum: 3 * n + 1 }))
  await assertEmpty(running)
})

test('a request fails by the step that failed, wherever that lies, and the others are answered', async () => {
  const running = await started(flows.diamond)
  const steps = ['ask', 'left', 'right', 'both', 'right cannot be sent'] as const
  const outcomes = await Promise.all(
    range(100).map(async (n) => {
      const fails = n % 2 === 0 ? steps[(n / 2) % steps.length]! : undefined
      if (fails === undefined) return assert.equal((await running.execute({ n })).sum, 3 * n + 1)
      const error = await refusal(running.execute({ n, fails }))
      assert.equal(error.code, 'REQUEST_FAILED')
      assert.equal(error.detail['step'], fails.split(' ')[0])
      const cause = error.cause as Error & { code?: string }
      if (fails === 'right cannot be sent') assert.equal(cause.code, 'RECORD_NOT_ENCODABLE')
      else assert.equal(cause.message, `${fails} cannot do ${n}`)
    }),
  )
  assert.equal(outcomes.length, 100)
  await assertEmpty(running)
})

test('an edge changes what its own step gets, or carries nothing but order', async () => {
  const running = await started(flows.edges)
  assert.deepEqual(await running.execute(5), { plus: 6, times: 1_050 })
})

test('a branch takes none, one or several flows; an unknown one fails the request alone', async () => {
  const running = await started(flows.branches)
  const { execute } = { execute: (take: readonly string[], n = 4) => running.execute({ take, n }) }
  assert.deepEqual(await execute(['double']), { picked: { double: 8 } })
  assert.deepEqual(await execute(['text', 'double']), { picked: { text: '<4>', double: 8 } })
  assert.deepEqual(await execute([]), { picked: { take: [], n: 4 } })
  const unknown = await refusal(execute(['double', 'nowhere']))
  assert.deepEqual([unknown.code, (unknown.cause as MillraceError).code], ['REQUEST_FAILED', 'BRANCH_UNKNOWN'])
  const failed = await refusal(execute(['double', 'broken']))
  assert.equal(failed.detail['step'], 'pick.broken.inner.breaks')
  assert.deepEqual(await execute(['text'], 7), { picked: { text: '<7>' } })
  await assertEmpty(running)
})

test('`onNone: fail` fails a request that takes no branch, and `join` makes the answer of those taken', async () => {
  const running = await started(flows.strict)
  assert.deepEqual(await running.execute(3), { doubled: 6 })
  const error = await refusal(running.execute(0))
  assert.equal((error.cause as MillraceError).code, 'BRANCH_NONE')
})

test('a flow is used twice in one flow without interference', async () => {
  const running = await started(flows.twice)
  assert.deepEqual(
    await Promise.all(range(50).map((n) => running.execute(n))),
    range(50).map((n) => `<${4 * n}>`),
  )
})

test('forEach answers none, one and many items in their order', async () => {
  const running = await started(flows.items)
  assert.deepEqual(await running.execute(0), [])
  assert.deepEqual(await running.execute(1), [{ n: 0, path: '0' }])
  const four = range(4).map((n) => ({ n, path: String(n) }))
  assert.deepEqual(
    await Promise.all(range(60).map(() => running.execute(4))),
    range(60).map(() => four),
  )
  const error = await refusal(running.execute(5))
  assert.equal((error.cause as Error).message, 'no root of 4')
  const many = await refusal(running.execute(1_001))
  assert.equal((many.cause as MillraceError).code, 'ITEMS_TOO_MANY')
  await assertEmpty(running)
})

test('failed items are skipped or collected where the flow says so', async () => {
  const skipping = await started(flows.skipping)
  assert.deepEqual(await skipping.execute(12), [0, 1, 2, 3, 5, 6, 7, 8, 10, 11])
  const collecting = await started(flows.collecting)
  assert.deepEqual(await collecting.execute(6), [0, 1, 2, 3, 'no root of 4', 5])
})

test('forEach within forEach, with a diamond for each item', async () => {
  const running = await started(flows.nested)
  const table = (size: number): string[][] =>
    range(size).map((row) => range(size).map((column) => `${row + column}/${row * column}`))
  const sizes = range(30).map((n) => n % 7)
  const answers = await Promise.all(sizes.map((size) => running.execute(size)))
  assert.deepEqual(answers, sizes.map(table))
  await assertEmpty(running)
})

test('onFailure answers for a step after its last attempt, or fails in its own words', async () => {
  const running = await started(flows.recovering)
  assert.equal(await running.execute({ by: 4 }), 0.25)
  assert.equal(await running.execute({ by: 0 }), -3)
  const error = await refusal(running.execute({ by: -1 }))
  assert.equal((error.cause as Error).message, 'cannot help with -1: below nothing')
})

test('a step that ends its thread fails its own request, and the others are answered', async () => {
  const running = await started(flows.deadly)
  const outcomes = await Promise.all(
    range(40).map((n) =>
      running.execute(n).then(
        (answer) => answer,
        (error: MillraceError) => (error.cause as MillraceError).code,
      ),
    ),
  )
  assert.deepEqual(
    outcomes,
    range(40).map((n) => (n % 10 === 9 ? 'RECORD_POISONED' : 0)),
  )
  await assertEmpty(running)
})

test('answers of any size are joined as far as there is room; one that has none fails its request', async () => {
  const running = await started(flows.sizes)
  for (const bytes of [0, 1, 7_000]) assert.deepEqual(await running.execute(bytes), { same: true, sum: 7 * bytes })
  const outcomes = await Promise.all(
    range(40).map((n) =>
      running.execute(n % 4 === 0 ? 200_000 : 3_000).then(
        ({ same, sum }) => same && sum,
        (error: MillraceError) => (error.cause as MillraceError).code,
      ),
    ),
  )
  outcomes.forEach((outcome, n) => {
    if (n % 4 === 0) assert.equal(outcome, 'ANSWER_TOO_LARGE', `of ${n}`)
    else assert.ok(outcome === 21_000 || outcome === 'ANSWER_TOO_LARGE', `of ${n}: ${String(outcome)}`)
  })
  assert.deepEqual(await running.execute(7_000), { same: true, sum: 49_000 })
  await assertEmpty(running)
})

test('a step knows its request, its attempt, the params of the run and the state of its worker', async () => {
  const running = await started(flows.context, { params: { greeting: 'hello' } })
  assert.deepEqual(await running.execute('you', { id: 'r1' }), {
    text: 'hello you',
    request: 'r1',
    step: 'tell',
    attempt: 1,
    worker: 0,
    path: [],
  })
})

test('the graphs of flows have no errors', () => {
  for (const flow of Object.values(flows)) {
    if (typeof flow !== 'object' || !('links' in flow)) continue
    const errors = validate(flow).filter(({ severity }) => severity === 'error')
    assert.deepEqual(errors, [], flow.name)
  }
})
