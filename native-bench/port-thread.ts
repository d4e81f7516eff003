/** A thread of a chain of MessagePorts (`ports.ts`). */
import { type MessagePort, workerData } from 'node:worker_threads'
import { gateOf } from './gate.ts'
import type { PortStage } from './ports.ts'
import { dueRecords, timing } from './one-way.ts'
import { INTS, type Kind, PAYLOAD, type Payload, SIX_FIELDS, type SixFields } from './records.ts'
import { steps, work } from './work.ts'

const { gate: gateName, kind: kindName, form, role, batch, window, inputs, outputs } = workerData as PortStage
const gate = gateOf(gateName)

const STEPS = steps()
const WORK: Kind<Payload> = {
  ...PAYLOAD,
  map({ id, payload }) {
    work(STEPS)
    return { id: id + 1, payload }
  },
}
const kind = { sixFields: SIX_FIELDS, payload: PAYLOAD, work: WORK, ints: INTS, due: SIX_FIELDS }[
  kindName
] as Kind<unknown>

/** A port to the next stage: how many messages it still takes. */
interface Out {
  readonly port: MessagePort
  credit: number
}
const outs: Out[] = outputs.map((port) => ({ port, credit: window }))
/** Messages that wait for a port, each with what to do once it is posted. */
const waiting: [message: unknown, onPosted: () => void][] = []
/** The next stage is told after this many messages that there is room for as many more. */
const GRANT = Math.max(1, window >> 2)

function post(message: unknown): boolean {
  let best: Out | undefined
  for (const out of outs) if (out.credit > 0 && (best === undefined || out.credit > best.credit)) best = out
  if (best === undefined) return false
  best.credit--
  best.port.postMessage(message)
  return true
}

/** The source: makes messages while there is room. */
function make(count: number): unknown {
  if (form === 'single') return kind.make(gate.next++)
  const records: { [index: number]: unknown } = form === 'int32' ? new Int32Array(count) : new Array<unknown>(count)
  for (let i = 0; i < count; i++) records[i] = kind.make(gate.next++)
  return records
}

/** Posts what is due, turn by turn of the event loop while a burst lasts: nothing waits for a timer. */
function pumpDue(): void {
  while (outs.some(({ credit }) => credit > 0)) {
    const records = dueRecords(gate, batch)
    if (records.length === 0) break
    post(records)
  }
  if (gate.allowed(1) === 1) setImmediate(pumpDue)
  else setTimeout(pumpDue, 2)
}

function pump(): void {
  while (outs.some(({ credit }) => credit > 0)) {
    const count = gate.allowed(batch)
    if (count === 0) return
    post(make(count))
  }
}

function mapped(message: unknown): unknown {
  if (form === 'single') return kind.map(message)
  const records = message as unknown[]
  for (let i = 0; i < records.length; i++) records[i] = kind.map(records[i])
  return records
}

const time = kindName === 'due' && role === 'sink' ? timing(gate) : undefined

function take(message: unknown): void {
  if (time !== undefined) {
    for (const record of message as SixFields[]) time(record)
    return
  }
  if (form === 'single') {
    gate.arrived(1, kind.sumOf(message))
    return
  }
  const records = message as unknown[]
  let sum = 0
  for (let i = 0; i < records.length; i++) sum += kind.sumOf(records[i])
  gate.arrived(records.length, sum)
}

for (const out of outs)
  out.port.on('message', (granted: number) => {
    out.credit += granted
    if (role === 'source') {
      if (kindName !== 'due') pump()
    } else
      while (waiting.length > 0 && post(waiting[0]![0])) {
        waiting[0]![1]()
        waiting.shift()
      }
  })

for (const port of inputs) {
  let owed = 0
  const done = (): void => {
    if (++owed < GRANT) return
    port.postMessage(owed)
    owed = 0
  }
  port.on('message', (message: unknown) => {
    if (role === 'sink') {
      take(message)
      done()
      return
    }
    const out = mapped(message)
    if (waiting.length === 0 && post(out)) done()
    else waiting.push([out, done])
  })
}

if (role === 'source') {
  if (kindName === 'due') pumpDue()
  else setInterval(pump, 2)
}
