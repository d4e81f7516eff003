import { codecOf } from '../../codec/codecs.ts'
import type { Encoder } from '../../codec/codec.ts'
import { Texts } from '../../lane/texts.ts'
import { LaneWriter } from '../../lane/writer.ts'
import type { Memory } from '../../memory/memory.ts'
import { laneTexts } from '../../memory/texts.ts'
import type { LaneEnd, LinkPlan, Plan } from '../../plan/types.ts'

/** One lane out of this worker. */
export class OutLane {
  readonly writer: LaneWriter
  readonly encoder: Encoder
  readonly peerDoorbell: number
  claimBytes: number
  /** Records of the chunk in hand that went here. */
  sent: number
  /** No room for a frame at the last try of this flush. */
  isFull = false
  /** Frames are visible here of which the reader has not been told; and how many records went here since it was told. */
  mustWake = false
  untold = 0
  /** So many of them are worth waking the reader for: it would find the lane full if it were told much later. */
  readonly worthTelling: number

  constructor(memory: Memory, plan: Plan, link: LinkPlan, end: LaneEnd) {
    this.writer = new LaneWriter(memory, end.layout)
    this.encoder = codecOf(link.codec).encoder(new Texts(memory, laneTexts(end.layout)))
    this.peerDoorbell = plan.workers[end.peer]!.control.doorbell
    this.worthTelling = end.layout.maxDemand >> 2
    this.claimBytes = this.writer.usualClaimBytes
    this.sent = this.writer.resume
  }
}
