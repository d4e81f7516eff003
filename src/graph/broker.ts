import type { Technology, Via } from '../options/values.ts'

/** One end of a buffer with an address: what a broker's connector needs to make its handlers. */
export interface Hop {
  readonly via: Via
  /** The buffer, and what bounds it. */
  readonly buffer: string
  readonly capacity: number
  /** The graph by name, and what is the same in all processes that run one version of it. */
  readonly graph: string
  readonly version: string
}

/** Handlers of a node by the names of their options. */
export type HopHandlers = Readonly<Record<string, (...args: any[]) => unknown>>

/** How the connector of a broker writes to a buffer and reads from it. */
export interface Broker {
  /** Of the sink above the buffer: `setup`, `write`, `teardown`. */
  writer(hop: Hop): HopHandlers
  /** Of the source below it: `setup`, `poll`, `ack`, `teardown`. */
  reader(hop: Hop): HopHandlers
}

/** Loaders of TypeScript may load this library a second time into a thread: all copies share these. */
const shared = globalThis as { [BROKERS]?: Map<Technology, Broker> }
const BROKERS = Symbol.for('millrace.brokers')
const brokers = (shared[BROKERS] ??= new Map())

/** The address of a buffer, as plain frozen data. The connector says with it that it is loaded. */
export function brokerAddress(technology: Technology, options: object, broker: Broker): Via {
  brokers.set(technology, broker)
  return Object.freeze({ technology, ...options })
}

/** Undefined where its connector is not loaded in this thread. */
export function brokerOf(technology: Technology): Broker | undefined {
  return brokers.get(technology)
}
