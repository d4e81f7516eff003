import type { GraphData } from '../../../graph/types.ts'
import type { ScaleLook, ScaleRule } from './look.ts'
import { type Needs, type WorkerNeed, workerNeeds } from './needs.ts'
import { judge, type ScaleChange, type ScaleTrial, type ScaleVerdict } from './trial.ts'

/** Why a stage has the workers that it has. */
export const SCALE_REASONS = {
  fits: 'its workers are enough, and not too many',
  more: 'more workers are needed; the next look has to agree',
  fewer: 'fewer workers would be enough; the next looks have to agree',
  max: 'it would need more workers than it may have',
  cores: 'no core is free for another worker',
  blocked: 'it waits for a stage below it, which has to be faster first',
  useless: 'more workers would bring nothing, as far as can be predicted',
  tried: 'another number was tried, and undone',
  unmeasured: 'no call has ended in the time that was measured',
} as const
/** One of them. */
export type ScaleReason = keyof typeof SCALE_REASONS

/** What a look says of a stage. */
export interface StageScale {
  readonly node: string
  readonly reason: ScaleReason
  readonly need: WorkerNeed | undefined
}

/** What is kept of a stage from one look to the next. */
interface StageMemory {
  /** Looks in a row that wanted more, or fewer; and the most workers that they wanted. */
  readonly isMore: boolean
  readonly looks: number
  readonly wanted: number
  /** Looks for which more, or fewer, are not tried again; and how often in a row that was undone. */
  readonly bars: { readonly more: Bar; readonly fewer: Bar }
}
interface Bar {
  readonly looks: number
  readonly times: number
}

/** What is kept from one look to the next. */
export interface ScaleState {
  /** Looks that say nothing: they hold the time of a resize. */
  readonly skip: number
  readonly trial: ScaleTrial | undefined
  readonly stages: Readonly<Record<string, StageMemory>>
}

export interface ScaleDecision {
  readonly state: ScaleState
  /** What to resize now. */
  readonly changes: readonly ScaleChange[]
  /** They undo what the verdict is about. */
  readonly isUndoing: boolean
  /** What the sources make, and what they will make if all goes as predicted. */
  readonly perSecond: number
  readonly promisedPerSecond: number
  readonly verdict: ScaleVerdict | undefined
  /** Empty where the look was skipped. */
  readonly stages: readonly StageScale[]
}

/** Looks that have to agree: load is to be followed soon, and left slowly. */
const LOOKS_FOR_MORE = 2
const LOOKS_FOR_FEWER = 6
/** Looks until what was undone is tried again: twice as many each time. */
const BAR_LOOKS = 6
const MOST_BAR_LOOKS = 96
/** A prediction of less is not worth a thread. */
const WORTH = 1.02

export const FIRST_SCALE_STATE: ScaleState = { skip: 0, trial: undefined, stages: {} }
const NO_BAR: Bar = { looks: 0, times: 0 }
const NOTHING_YET: StageMemory = { isMore: false, looks: 0, wanted: 0, bars: { more: NO_BAR, fewer: NO_BAR } }

/**
 * Decides on the workers of scaled stages: figures in, decision out. Stages get more workers where two looks agree that their load
 * is beyond half of the way from `busy` to 1, all that need them together; a stage gets fewer where six looks agree that fewer are
 * enough, one stage after the other. Each change is judged by the next look that is free of it, and undone where it brought less
 * than a quarter of what was promised, or where fewer workers do not keep up; then it is not tried again for six looks, and twice
 * as many each time. A stage that waits for another one gets no more workers, one that has no time left no fewer. @throws LOOP_TOO_LARGE
 */
export function decideScale(
  graph: GraphData,
  rules: readonly ScaleRule[],
  state: ScaleState,
  look: ScaleLook,
): ScaleDecision {
  if (state.skip > 0) return { ...NO_DECISION, state: { ...state, skip: state.skip - 1 } }
  const needs = workerNeeds(graph, look, rules)
  const highest = (node: string): number => highestLoad(rules.find((rule) => rule.node === node)!)
  const verdict = state.trial && judge(state.trial, needs, highest)
  const stages = remember(rules, state, needs, verdict)
  const told = rules.map((rule) => stageScale(rule, needs, stages[rule.node]!))
  const { perSecond } = needs
  const common = { perSecond, promisedPerSecond: perSecond, verdict, stages: told }
  if (verdict?.isKept === false) {
    const changes = verdict.changes.map(({ node, from, to }) => ({ node, from: to, to: from }))
    return {
      ...common,
      state: { skip: 1, trial: undefined, stages: forgetting(stages, changes) },
      changes,
      isUndoing: true,
    }
  }
  const chosen = choose(rules, needs, stages)
  if (chosen.length === 0) return { ...common, ...NO_CHANGE, state: { skip: 0, trial: undefined, stages } }
  const promisedPerSecond = needs.predict(Object.fromEntries(chosen.map(({ node, to }) => [node, to])))
  const isMore = chosen[0]!.to > chosen[0]!.from
  if (isMore && needs.isHeld && promisedPerSecond < perSecond * WORTH) {
    const useless = new Set(chosen.map(({ node }) => node))
    const stagesTold = told.map((each) => (useless.has(each.node) ? { ...each, reason: 'useless' as const } : each))
    return { ...common, stages: stagesTold, ...NO_CHANGE, state: { skip: 0, trial: undefined, stages } }
  }
  const before = chosen.map(({ node }) => needs.stages.find((need) => need.node === node)!)
  const trial = { changes: chosen, isMore, isHeld: needs.isHeld, perSecond, promisedPerSecond, before }
  return {
    ...common,
    promisedPerSecond,
    state: { skip: 1, trial, stages: forgetting(stages, chosen) },
    changes: chosen,
    isUndoing: false,
  }
}

/** After a change that could not be made: its stages are as they were, and are left alone for a while. */
export function scaleRefused(state: ScaleState, node: string, isMore: boolean): ScaleState {
  const memory = state.stages[node] ?? NOTHING_YET
  return { skip: 1, trial: undefined, stages: { ...state.stages, [node]: barred(memory, isMore) } }
}

/** Above this load a stage is short of workers: between this and `busy` it stays as it is, so that it does not swing. */
function highestLoad({ busy }: ScaleRule): number {
  return (1 + busy) / 2
}

const NO_CHANGE = { changes: [], isUndoing: false } as const
const NO_DECISION = { ...NO_CHANGE, perSecond: 0, promisedPerSecond: 0, verdict: undefined, stages: [] } as const

type Direction = 'more' | 'fewer' | undefined

function directionOf(rule: ScaleRule, { wanted, workers, load, isBlocked, busy }: WorkerNeed): Direction {
  if (wanted > workers) return load > highestLoad(rule) && !isBlocked ? 'more' : undefined
  // What has no time left is not idle, whatever the figures of its neighbours say.
  return wanted < workers && busy < rule.busy ? 'fewer' : undefined
}

function remember(
  rules: readonly ScaleRule[],
  state: ScaleState,
  { stages }: Needs,
  verdict: ScaleVerdict | undefined,
): Record<string, StageMemory> {
  return Object.fromEntries(
    rules.map((rule) => {
      const known = rested(state.stages[rule.node] ?? NOTHING_YET)
      const change = verdict?.changes.find(({ node }) => node === rule.node)
      const memory = change === undefined ? known : sentenced(known, change, verdict!.isKept)
      const need = stages.find(({ node }) => node === rule.node)
      const direction = need && directionOf(rule, need)
      if (need === undefined || direction === undefined) return [rule.node, { ...memory, looks: 0, wanted: 0 }]
      const isMore = direction === 'more'
      const isSame = memory.looks > 0 && memory.isMore === isMore
      return [
        rule.node,
        {
          ...memory,
          isMore,
          looks: isSame ? memory.looks + 1 : 1,
          wanted: isMore || !isSame ? need.wanted : Math.max(memory.wanted, need.wanted),
        },
      ]
    }),
  )
}

function rested(memory: StageMemory): StageMemory {
  return { ...memory, bars: { more: lessBarred(memory.bars.more), fewer: lessBarred(memory.bars.fewer) } }
}

function lessBarred({ looks, times }: Bar): Bar {
  return { looks: Math.max(0, looks - 1), times }
}

function sentenced(memory: StageMemory, { from, to }: ScaleChange, isKept: boolean): StageMemory {
  const isMore = to > from
  if (!isKept) return barred(memory, isMore)
  return { ...memory, bars: { ...memory.bars, [isMore ? 'more' : 'fewer']: NO_BAR } }
}

function barred(memory: StageMemory, isMore: boolean): StageMemory {
  const name = isMore ? 'more' : 'fewer'
  const { times } = memory.bars[name]
  const looks = Math.min(MOST_BAR_LOOKS, BAR_LOOKS * 2 ** times)
  return { ...memory, bars: { ...memory.bars, [name]: { looks, times: times + 1 } } }
}

/** All that need more, together: of two full stages in a row neither helps alone. Else one that needs fewer. */
function choose(
  rules: readonly ScaleRule[],
  needs: Needs,
  stages: Readonly<Record<string, StageMemory>>,
): ScaleChange[] {
  const found = rules.flatMap(({ node }): ScaleChange[] => {
    const { isMore, looks, wanted, bars } = stages[node]!
    const need = needs.stages.find((each) => each.node === node)
    const isAgreed = looks >= (isMore ? LOOKS_FOR_MORE : LOOKS_FOR_FEWER)
    if (need === undefined || !isAgreed || bars[isMore ? 'more' : 'fewer'].looks > 0) return []
    return [{ node, from: need.workers, to: wanted }]
  })
  const more = found.filter(({ from, to }) => to > from)
  return more.length > 0 ? more : found.sort((a, b) => b.from - b.to - (a.from - a.to)).slice(0, 1)
}

/** Of stages that are changed now, earlier looks say nothing any more. */
function forgetting(
  stages: Readonly<Record<string, StageMemory>>,
  changes: readonly ScaleChange[],
): Record<string, StageMemory> {
  const changed = new Set(changes.map(({ node }) => node))
  return Object.fromEntries(
    Object.entries(stages).map(([node, memory]) => [node, changed.has(node) ? { ...memory, looks: 0 } : memory]),
  )
}

function stageScale(rule: ScaleRule, needs: Needs, memory: StageMemory): StageScale {
  const need = needs.stages.find(({ node }) => node === rule.node)
  return { node: rule.node, reason: need === undefined ? 'unmeasured' : reasonOf(rule, need, memory), need }
}

function reasonOf(rule: ScaleRule, need: WorkerNeed, { isMore, looks, bars }: StageMemory): ScaleReason {
  const isShort = need.load > highestLoad(rule)
  if (looks > 0 && bars[isMore ? 'more' : 'fewer'].looks > 0) return 'tried'
  if (looks > 0) return isMore ? 'more' : 'fewer'
  if (isShort && need.isBlocked && need.wanted > need.workers) return 'blocked'
  if (isShort && need.limit !== 'none') return need.limit
  return 'fits'
}
