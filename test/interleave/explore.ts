import { resetClock } from './clock.ts'
import { type Access, Stepped } from './stepped.ts'
import { Tracked } from './tracked.ts'

/** One thread of a program: stepped code, and what goes on in its place after its death. */
export interface Thread {
  readonly name: string
  readonly run: () => unknown
  /** After how many stores, plain and atomic, each of its lives ends; then `revive` runs. */
  readonly deaths?: readonly number[]
  readonly revive?: () => unknown
}

/** A program, made anew for every execution. */
export interface Program {
  readonly bytes: number
  readonly threads: number
  start(tracked: Tracked): Start
}

export interface Start {
  /** What has happened before the threads start; stepped, but it runs alone. */
  readonly before?: () => unknown
  readonly threads: readonly Thread[]
  /** Holds after every access. */
  readonly always?: () => void
  /** Holds when all threads have come to their ends. */
  readonly check: () => void
}

export interface Report {
  /** Executions to the end: no two of them differ only in the order of accesses that do not touch each other. */
  readonly executions: number
  /** Executions that were broken off because another one covers them. */
  readonly covered: number
  readonly accesses: number
  readonly longest: number
  /** Threads that died in some execution. */
  readonly died: readonly number[]
}

export interface Bounds {
  /** Switches away from a thread that could go on; absent: all orders. */
  readonly preemptions?: number
}

interface Node {
  /** Bits of threads. */
  enabled: number
  backtrack: number
  done: number
  sleep: number
  chosen: number
  /** Switches away from a thread that could go on, up to here. */
  preemptions: number
  pending: (Access | undefined)[]
}

interface Done {
  readonly depth: number
  readonly thread: number
  readonly isRead: boolean
}

/** Something that must not be, with the schedule that leads to it. */
export class Violation extends Error {}

/**
 * Drives a program through all orders of its atomic accesses, but for orders that differ only in accesses that do not touch
 * each other: dynamic partial-order reduction (Flanagan and Godefroid, 2005) with sleep sets. Every execution starts anew
 * and follows its schedule.
 * @throws Violation at the first execution that races, fails, or leaves a thread waiting for ever
 */
export function explore(program: Program, bounds: Bounds = {}): Report {
  return new Explorer(program, bounds).run()
}

class Explorer {
  readonly #program: Program
  readonly #most: number
  readonly #isBounded: boolean
  readonly #tracked: Tracked
  readonly #path: Node[] = []
  #executions = 0
  #covered = 0
  #accesses = 0
  #longest = 0
  readonly #died = new Set<number>()

  constructor(program: Program, { preemptions }: Bounds) {
    this.#program = program
    this.#most = preemptions ?? Infinity
    this.#isBounded = preemptions !== undefined
    this.#tracked = new Tracked(program.bytes, program.threads)
  }

  run(): Report {
    do this.#execute()
    while (this.#next())
    return {
      executions: this.#executions,
      covered: this.#covered,
      accesses: this.#accesses,
      longest: this.#longest,
      died: [...this.#died],
    }
  }

  #execute(): void {
    const execution = new Execution(this.#program, this.#tracked)
    const replayed = this.#path.length
    try {
      for (let depth = 0; ; depth++) {
        if (depth >= replayed) {
          const node = this.#node(depth, execution)
          if (node === undefined) break
          this.#path.push(node)
        }
        const node = this.#path[depth]!
        if (depth >= replayed - 1) this.#reverse(node, execution)
        execution.step(depth, node.chosen)
      }
      if (execution.enabled === 0) execution.end()
    } catch (error) {
      throw this.#violation(error, execution)
    }
    if (execution.enabled === 0) this.#executions++
    else this.#covered++
    this.#accesses += this.#path.length
    this.#longest = Math.max(this.#longest, this.#path.length)
    for (const thread of execution.died) this.#died.add(thread)
  }

  /** The state that the execution is in now; undefined where nothing can go on, or others cover what could. */
  #node(depth: number, { enabled, pending }: Execution): Node | undefined {
    if (enabled === 0) return undefined
    const before = this.#path[depth - 1]
    const sleep = before === undefined || this.#isBounded ? 0 : sleepAfter(before)
    const current = before === undefined ? 0 : before.chosen
    const awake = enabled & ~sleep
    if (awake === 0) return undefined
    const chosen = awake & (1 << current) ? current : lowest(awake)
    const node = { enabled, done: 0, sleep, chosen, preemptions: 0, pending: pending.slice(), backtrack: 1 << chosen }
    node.preemptions = this.#preemptions(depth, node, chosen)
    return node
  }

  #preemptions(depth: number, { enabled }: Node, chosen: number): number {
    const before = this.#path[depth - 1]
    if (before === undefined) return 0
    return before.preemptions + (before.chosen !== chosen && enabled & (1 << before.chosen) ? 1 : 0)
  }

  /** Where the access that comes next touches one of another thread that did not have to come first: tries it before. */
  #reverse({ chosen, pending }: Node, execution: Execution): void {
    for (const { depth, thread } of execution.conflicts(chosen, pending[chosen]!)) {
      this.#tryBefore(depth, chosen, execution.leading(chosen, depth) & ~(1 << thread))
      // A switch there may be one too many, where one at the last switch before would not be.
      if (this.#isBounded) this.#tryBefore(this.#startOfTurn(depth), chosen, 0)
    }
  }

  #tryBefore(depth: number, thread: number, leading: number): void {
    const node = this.#path[depth]!
    if (node.enabled & (1 << thread)) node.backtrack |= 1 << thread
    else node.backtrack |= leading & node.enabled ? 1 << lowest(leading & node.enabled) : node.enabled
  }

  #startOfTurn(depth: number): number {
    let start = depth
    while (start > 0 && this.#path[start - 1]!.chosen === this.#path[depth]!.chosen) start--
    return start
  }

  /** Turns to the next schedule; false where there is none. */
  #next(): boolean {
    for (let depth = this.#path.length - 1; depth >= 0; depth--) {
      const node = this.#path[depth]!
      this.#path.length = depth + 1
      node.done |= 1 << node.chosen
      for (;;) {
        const left = node.backtrack & ~node.done & ~node.sleep
        if (left === 0) break
        node.chosen = lowest(left)
        node.preemptions = this.#preemptions(depth, node, node.chosen)
        if (node.preemptions <= this.#most) return true
        node.done |= 1 << node.chosen
      }
    }
    return false
  }

  #violation(error: unknown, execution: Execution): Violation {
    const steps = this.#path.map(({ chosen, pending }) => {
      const { kind, word, value } = pending[chosen]!
      return `${execution.names[chosen]} ${kind} ${word}${kind === 'store' ? ` = ${value}` : ''}`
    })
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return new Violation(`${said}\n${steps.slice(-60).join('\n')}\n(${this.#executions} executions before)`, {
      cause: error,
    })
  }
}

/** Threads whose turn is covered by a schedule that was tried before, as long as nothing touches their next access. */
function sleepAfter({ sleep, done, chosen, pending }: Node): number {
  let left = 0
  for (const mask = (sleep | done) & ~(1 << chosen), i = { thread: 0 }; mask >> i.thread; i.thread++) {
    if (mask & (1 << i.thread) && !touch(pending[i.thread]!, pending[chosen]!)) left |= 1 << i.thread
  }
  return left
}

function touch(a: Access, b: Access): boolean {
  return a.word === b.word && (a.kind !== 'load' || b.kind !== 'load')
}

function lowest(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}

/** One run of a program. */
class Execution {
  readonly names: readonly string[]
  /** The next access of each thread. */
  readonly pending: (Access | undefined)[] = []
  readonly died: number[] = []
  readonly #stores: number[]
  readonly #threads: readonly Thread[]
  readonly #check: () => void
  readonly #always: (() => void) | undefined
  readonly #tracked: Tracked
  readonly #steps: Iterator<Access, unknown, number>[] = []
  readonly #asleep: (number | undefined)[] = []
  readonly #lives: number[]
  /** For each thread, the last access of each thread that came before what it does next. */
  readonly #clocks: number[][]
  readonly #touched = new Map<number, Done[]>()

  constructor(program: Program, tracked: Tracked) {
    resetClock()
    tracked.reset()
    Stepped.open = 0
    tracked.onWrite = () => undefined
    this.#tracked = tracked
    const { threads, check, always, before } = program.start(tracked)
    if (before !== undefined) runAlone(before(), tracked)
    this.#threads = threads
    this.#check = check
    this.#always = always
    this.names = threads.map(({ name }) => name)
    this.#stores = threads.map(() => 0)
    this.#lives = threads.map(() => 0)
    this.#clocks = threads.map(() => threads.map(() => -1))
    tracked.onWrite = () => this.#count(tracked.thread)
    threads.forEach(({ run }, thread) => this.#begin(thread, run))
  }

  get enabled(): number {
    let bits = 0
    this.pending.forEach((access, thread) => (bits |= access === undefined ? 0 : 1 << thread))
    return bits
  }

  step(depth: number, thread: number): void {
    const access = this.pending[thread]!
    this.#order(depth, thread, access)
    this.#tracked.thread = thread
    if (access.kind !== 'load' && access.kind !== 'wait') this.#count(thread)
    const result = this.#perform(access, thread, depth)
    this.#always?.()
    if (result !== undefined) this.#goOn(thread, result)
  }

  /** All threads stand: they must have come to their ends. */
  end(): void {
    this.#asleep.forEach((word, thread) => {
      if (word !== undefined) throw new Error(`lost wake-up: ${this.names[thread]} waits at word ${word} for ever`)
    })
    this.#check()
  }

  /** Accesses of other threads that touch this one and did not have to come before it. */
  conflicts(thread: number, access: Access): Done[] {
    const clock = this.#clocks[thread]!
    const found: Done[] = []
    const seen = new Set<number>([thread])
    const touched = this.#touched.get(access.word) ?? []
    for (let i = touched.length - 1; i >= 0; i--) {
      const done = touched[i]!
      if (seen.has(done.thread) || (done.isRead && access.kind === 'load')) continue
      seen.add(done.thread)
      if (done.depth > clock[done.thread]!) found.push(done)
    }
    return found
  }

  /** Threads of which something after `depth` must come before what `thread` does next. */
  leading(thread: number, depth: number): number {
    return this.#clocks[thread]!.reduce((bits, last, other) => bits | (last > depth ? 1 << other : 0), 0)
  }

  #order(depth: number, thread: number, { word, kind }: Access): void {
    const clock = this.#clocks[thread]!
    const touched = this.#touched.get(word) ?? []
    for (const done of touched) {
      if (done.isRead && kind === 'load') continue
      const known = this.#clockAt[done.depth]!
      for (let i = 0; i < clock.length; i++) if (known[i]! > clock[i]!) clock[i] = known[i]!
    }
    clock[thread] = depth
    this.#clockAt[depth] = clock.slice()
    touched.push({ depth, thread, isRead: kind === 'load' })
    this.#touched.set(word, touched)
  }

  readonly #clockAt: number[][] = []

  /** @returns undefined where the thread falls asleep */
  #perform({ kind, word, value, expected }: Access, thread: number, depth: number): number | undefined {
    const tracked = this.#tracked
    const { words } = tracked.raw
    if (kind === 'load') {
      tracked.acquire(word)
      return words[word]!
    }
    if (kind === 'store') {
      tracked.release(word)
      return (words[word] = value)
    }
    if (kind === 'add') {
      tracked.acquire(word)
      tracked.release(word)
      return (words[word]! += value) - value
    }
    if (kind === 'exchange') {
      tracked.acquire(word)
      const before = words[word]!
      if (before !== expected) return before
      tracked.release(word)
      words[word] = value
      return before
    }
    if (kind === 'wait') {
      if (words[word] !== value) return 0
      this.pending[thread] = undefined
      this.#asleep[thread] = word
      return undefined
    }
    for (let other = 0; other < this.#threads.length; other++) {
      if (this.#asleep[other] !== word) continue
      this.#asleep[other] = undefined
      this.#clocks[other] = this.#clocks[other]!.map((last, i) => Math.max(last, this.#clockAt[depth]![i]!))
      this.#goOn(other, 0)
      tracked.thread = thread
    }
    return 0
  }

  #begin(thread: number, run: () => unknown): void {
    this.#tracked.thread = thread
    this.#tracked.isDead = this.#isOver(thread)
    const made = run()
    if (!(made instanceof Stepped)) throw new Error(`${this.names[thread]} is not stepped`)
    this.#steps[thread] = made[Symbol.iterator]()
    this.#goOn(thread, 0)
  }

  /** Lets a thread go on to its next access. */
  #goOn(thread: number, result: number): void {
    this.#tracked.thread = thread
    this.#tracked.isDead = this.#isOver(thread)
    const step = this.#next(thread, result)
    if (Stepped.open !== 0) throw new Error(`${this.names[thread]}: something escaped the checker`)
    this.pending[thread] = step.done === true ? undefined : step.value
    if (!this.#isOver(thread)) return
    // The thread is dead; its `exit` comes, and what goes on in its place knows all that it did.
    this.died.push(thread)
    this.#lives[thread]!++
    this.#stores[thread] = 0
    this.#begin(thread, this.#threads[thread]!.revive!)
  }

  /** A dead thread still runs to its next access, blind: what it does there is of no account. */
  #next(thread: number, result: number): IteratorResult<Access, unknown> {
    const { isDead } = this.#tracked
    try {
      return this.#steps[thread]!.next(result)
    } catch (error) {
      if (!isDead && !this.#tracked.isDead) throw error
      Stepped.open = 0
      return { done: true, value: undefined }
    }
  }

  #count(thread: number): void {
    if (this.#tracked.isDead) return
    this.#stores[thread]!++
    this.#tracked.isDead = this.#isOver(thread)
  }

  #isOver(thread: number): boolean {
    const death = this.#threads[thread]!.deaths?.[this.#lives[thread]!]
    return death !== undefined && this.#stores[thread]! >= death
  }
}

/** Runs stepped code to its end while nobody else runs. */
function runAlone(made: unknown, tracked: Tracked): void {
  const { words } = tracked.raw
  const steps = (made as Stepped)[Symbol.iterator]()
  tracked.thread = 0
  for (let step = steps.next(0); step.done !== true;) {
    const { kind, word, value, expected } = step.value
    if (kind === 'wait') throw new Error('what runs alone waits for ever')
    const before = words[word]!
    if (kind === 'store' || kind === 'add') {
      words[word] = kind === 'add' ? before + value : value
      tracked.release(word)
    } else if (kind === 'exchange' && before === expected) {
      words[word] = value
      tracked.release(word)
    }
    step = steps.next(before)
  }
  tracked.startAfter()
}
