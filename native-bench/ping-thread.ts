/** A thread of the ping-pong of the suite `latency`. */
import hdr from 'hdr-histogram-js'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { shapeCodec } from '#src/codec/shape.js'
import { Doorbell, ring } from '#src/lane/doorbell.js'
import { Journal } from '#src/lane/journal.js'
import { FRAME_BYTES, FRAME_COUNT, headerBytes } from '#src/memory/lane.js'
import { viewMemory } from '#src/memory/memory.js'
import { LaneReader, NO_FRAME } from '#src/lane/reader.js'
import { Texts } from '#src/lane/texts.js'
import { laneTexts } from '#src/memory/texts.js'
import { LaneWriter } from '#src/lane/writer.js'
import type { LanePair } from './lanes.ts'
import { rest } from './rest.ts'

export interface PingThread {
  readonly role: 'ping' | 'pong'
  /** `hot`: the reader looks all the time; `parked`: it parks at once; or not over lanes. */
  readonly way: 'hot' | 'parked' | 'port'
  readonly lanes: LanePair
  readonly port: MessagePort
}

interface Ball {
  readonly id: number
}

const { role, way, lanes, port } = workerData as PingThread
const HEADER = { slot: 0, furtherAnchors: [], baseLow: 0, baseHigh: 0, first: 0, salt: 0, attempt: 0, trace: 0 }
const PARK_MS = 1_000

/** One side of a pair of lanes: what a worker does for a record, with nothing of a pipeline around. */
class Side {
  readonly #memory = viewMemory(lanes.buffer)
  readonly #writer
  readonly #reader
  readonly #journal
  readonly #encoder
  readonly #decoder
  readonly #doorbell
  readonly #peer: number
  readonly #out: Ball[] = []

  constructor() {
    const [out, back] = role === 'ping' ? [lanes.there, lanes.back] : [lanes.back, lanes.there]
    const own = role === 'ping' ? 0 : 1
    this.#writer = new LaneWriter(this.#memory, out)
    this.#reader = new LaneReader(this.#memory, back)
    this.#journal = new Journal(this.#memory, lanes.journals[own])
    this.#encoder = shapeCodec.encoder(new Texts(this.#memory, laneTexts(out)))
    this.#decoder = shapeCodec.decoder(new Texts(this.#memory, laneTexts(back)))
    this.#doorbell = new Doorbell(this.#memory.words, lanes.doorbells[own])
    this.#peer = lanes.doorbells[role === 'ping' ? 1 : 0]
  }

  send(ball: Ball): void {
    const writer = this.#writer
    // The other side grants credit once it is there: the first ball may have to wait for that.
    for (let vain = 1; writer.credit() <= 0; vain++) rest(vain)
    const at = writer.claim(writer.usualClaimBytes)
    this.#encoder.encode(this.#memory, [ball], 0, 1, writer.body(at, 0), writer.limit)
    writer.append(at, this.#encoder.end, 1, HEADER, 0)
    writer.stage(this.#journal)
    this.#reader.stage(this.#journal)
    this.#journal.commit()
    ring(this.#memory.words, this.#peer)
  }

  receive(): Ball {
    let at = this.#reader.poll()
    for (let vain = 1; at === NO_FRAME; vain++) {
      if (way === 'hot') rest(vain)
      at = way === 'hot' ? this.#reader.poll() : this.#park()
    }
    const { words } = this.#memory
    const end = at + words[(at >> 2) + FRAME_BYTES]!
    this.#decoder.decode(this.#memory, at + headerBytes(0), end, words[(at >> 2) + FRAME_COUNT]!, this.#out)
    this.#reader.take(at)
    this.#reader.release(this.#reader.position, 0, 1)
    return this.#out[0]!
  }

  #park(): number {
    this.#doorbell.announce(PARK_MS)
    let at = this.#reader.poll()
    if (at === NO_FRAME) {
      this.#doorbell.park(PARK_MS)
      at = this.#reader.poll()
    }
    this.#doorbell.rise()
    return at
  }
}

const times = hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: 60e9, numberOfSignificantValueDigits: 3 })
function answer(sum: number): void {
  const [p50, p99] = [50, 99].map((percent) => times.getValueAtPercentile(percent) / 1e3)
  times.reset()
  parentPort!.postMessage({ p50, p99, sum })
}

function timeFrom(start: number): void {
  times.recordValue(Math.max(1, Math.round((performance.now() - start) * 1e6)))
}

if (way === 'port') {
  let roundTrips = 0
  let sum = 0
  let start = 0
  const send = (id: number): void => {
    start = performance.now()
    port.postMessage({ id })
  }
  parentPort!.on('message', (count: number) => {
    roundTrips = count
    sum = 0
    if (role === 'ping') send(0)
  })
  port.on('message', ({ id }: Ball) => {
    if (role === 'pong') {
      port.postMessage({ id })
      return
    }
    timeFrom(start)
    sum += id
    if (id + 1 < roundTrips) send(id + 1)
    else answer(sum)
  })
} else {
  const side = new Side()
  parentPort!.on('message', (count: number) => {
    let sum = 0
    for (let id = 0; id < count; id++) {
      if (role === 'pong') {
        side.send(side.receive())
        continue
      }
      const start = performance.now()
      side.send({ id })
      sum += side.receive().id
      timeFrom(start)
    }
    if (role === 'ping') answer(sum)
  })
}
