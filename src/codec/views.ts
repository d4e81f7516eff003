import { refusal } from './refusal.ts'

/** Typed arrays and DataView; their index is part of the format. */
const VIEWS = [
  DataView,
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as unknown as readonly (new (buffer: ArrayBuffer) => ArrayBufferView)[]

/** The number of the class of a view: a subclass, as `Buffer`, arrives as what it extends. */
export function viewNumber(view: ArrayBufferView): number {
  const index = VIEWS.findIndex((type) => view instanceof type)
  if (index < 0) throw refusal(`a ${view.constructor.name} has no form on a lane`)
  return index
}

/** The bytes that a view shows, and no others of its buffer. */
export function viewBytes(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/** @param bytes are copied: they may be shared memory, or a slice of Node's pool */
export function makeView(number: number, bytes: Uint8Array): ArrayBufferView {
  return new VIEWS[number]!(new Uint8Array(bytes).buffer)
}
