/** What must compile of flows and what must not: an unused `@ts-expect-error` fails the build. */
import { type AnswerOf, type InputOf, flow, runFlow } from 'millrace/flow'

type Same<A, B> = [A, B] extends [B, A] ? true : false
declare function same<A, B>(isSame: Same<A, B>): void

export const kyc = flow('kyc', import.meta.url)
  .step('image', { map: (url: string) => ({ url, bytes: 3 }) })
  .step('detect', { map: async (image: { bytes: number }) => ({ ok: image.bytes > 1 }) })
  .step('match', {
    map: (image: { url: string }) => ({ score: image.url.length }),
    retry: { maxAttempts: 3 },
    concurrency: 2,
  })
  .step('mark', {
    join: ({ detect, match }) => ({ ok: detect.ok && match.score > 1 }),
    map: (both, { signal }) => (signal.aborted ? 'no' : both.ok ? 'yes' : 'maybe'),
  })
  .edge('image', 'detect')
  .edge('image', 'match')
  .edge('detect', 'mark')
  .edge('match', 'mark')

same<InputOf<typeof kyc>, string>(true)
same<AnswerOf<typeof kyc>, 'no' | 'yes' | 'maybe'>(true)

// @ts-expect-error
kyc.edge('detect', 'match')
kyc.edge('detect', 'match', { map: ({ ok }) => ({ url: String(ok) }) })
// @ts-expect-error
kyc.edge('detect', 'nowhere')
// @ts-expect-error
kyc.step('x', { join: ({ nobody }) => nobody })

const double = flow('double').step('twice', { map: (n: number) => 2 * n })
const text = flow('text').step('text', { map: (n: number) => `${n}` })
const b = flow('b').branch('pick', {
  when: (n: number) => (n > 1 ? 'double' : ['text', 'double']),
  branches: { double, text },
})
same<AnswerOf<typeof b>, number | { readonly double?: number; readonly text?: string }>(true)
const b2 = flow('b').branch('pick', {
  when: (n: number) => (n > 1 ? 'double' : 'text'),
  branches: { double, text },
  onNone: 'fail',
  join: ({ double: d, text: t }) => d ?? t ?? 0,
})
same<AnswerOf<typeof b2>, number | string>(true)
// @ts-expect-error
flow('b').branch('pick', { when: () => 'other', branches: { double, text } })
const e = flow('e').forEach('all', { items: (list: number[]) => list, each: double })
same<AnswerOf<typeof e>, readonly number[]>(true)
const e2 = flow('e').forEach('all', {
  items: (list: number[]) => list,
  each: double,
  onError: 'collect',
  join: (answers) => answers.map(({ fault }) => fault?.step),
})
same<AnswerOf<typeof e2>, (string | undefined)[]>(true)
const s = flow('s')
  .subflow('first', double)
  .step('then', { map: (n: number) => n > 3 })
  .edge('first', 'then')
same<AnswerOf<typeof s>, boolean>(true)
same<InputOf<typeof s>, number>(true)
export async function f() {
  const r = await runFlow(kyc)
  const a: string = await r.execute('x')
  // @ts-expect-error
  await r.execute(4)
  return a
}
