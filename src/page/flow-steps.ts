import type { GraphAnswer } from '#src/control/index.js'
import type { RequestAnswer } from '#src/flow-server/index.js'

type Step = NonNullable<RequestAnswer['steps']>[number]

/** What a step did, on the time line of its request. Times in ms since it was asked. */
export interface StepBar {
  readonly node: string
  /** With the indexes of its items. */
  readonly label: string
  readonly state: Step['state']
  readonly attempts: number
  /** What it needs was there; then it waited, or was tried before. */
  readonly readyMs: number
  readonly startMs: number
  readonly endMs: number
  readonly error: string | undefined
  /** By another request, which this one repeats. */
  readonly isBefore: boolean
}

/** All steps that a request tells of, in the order in which they began. */
export function stepBars(
  graph: GraphAnswer,
  { steps = [], createdAt, startedAt = createdAt }: RequestAnswer,
): StepBar[] {
  const asked = Date.parse(createdAt)
  const begun = Date.parse(startedAt)
  const before = stepsBefore(graph)
  const bars = steps.map((step): StepBar => {
    const [started, ended] = [Date.parse(step.startedAt), Date.parse(step.endedAt)]
    const ready = steps
      .filter((other) => before.get(step.step)?.has(other.step) === true && isAround(other.path, step.path))
      .reduce((latest, other) => Math.max(latest, Date.parse(other.endedAt)), begun)
    const error = step.error
    return {
      node: step.step,
      label: step.step + step.path.map((index) => `[${index}]`).join(''),
      state: step.state,
      attempts: step.attempts,
      readyMs: Math.max(0, Math.min(ready, started) - asked),
      startMs: Math.max(0, started - asked),
      endMs: Math.max(0, ended - asked),
      error: error && [error.code ?? error.name, error.message ?? ''].filter(Boolean).join(': '),
      isBefore: ended < asked,
    }
  })
  return bars.toSorted((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)
}

/** One path begins as the other: items of a step and what came before or after all of them. */
function isAround(one: readonly number[], other: readonly number[]): boolean {
  return one.slice(0, other.length).every((index, i) => index === other[i])
}

/** By node: the steps whose answers it waits for. Nodes that no step has are looked through. */
function stepsBefore({ nodes, edges }: GraphAnswer): ReadonlyMap<string, ReadonlySet<string>> {
  const isStep = new Set(nodes.filter(({ kind }) => kind === 'transform').map(({ id }) => id))
  const found = new Map<string, ReadonlySet<string>>()
  for (const node of isStep) {
    const before = new Set<string>()
    const seen = new Set<string>()
    const visit = (to: string): void => {
      for (const edge of edges) {
        if (edge.to !== to || seen.has(edge.from)) continue
        seen.add(edge.from)
        if (isStep.has(edge.from)) before.add(edge.from)
        else visit(edge.from)
      }
    }
    visit(node)
    found.set(node, before)
  }
  return found
}
