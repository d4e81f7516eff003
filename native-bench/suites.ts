import type { Suite } from './suite.ts'
import { brokers } from './suites/brokers.ts'
import { codec } from './suites/codec.ts'
import { curves } from './suites/curves.ts'
import { durable } from './suites/durable.ts'
import { embed } from './suites/embed.ts'
import { idle } from './suites/idle.ts'
import { hop } from './suites/hop.ts'
import { importSuite } from './suites/import.ts'
import { ints } from './suites/ints.ts'
import { latency } from './suites/latency.ts'
import { limits } from './suites/limits.ts'
import { pipeline } from './suites/pipeline.ts'
import { requests } from './suites/requests.ts'
import { ring } from './suites/ring.ts'
import { trace } from './suites/trace.ts'
import { workers } from './suites/workers.ts'

/** All suites, in the order in which they run. */
export const SUITES: readonly Suite[] = [
  ring,
  hop,
  pipeline,
  ints,
  latency,
  embed,
  idle,
  workers,
  limits,
  codec,
  trace,
  requests,
  durable,
  brokers,
  importSuite,
  curves,
]
