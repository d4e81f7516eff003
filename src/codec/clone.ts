import { DefaultDeserializer, DefaultSerializer } from 'node:v8'
import { refusal } from './refusal.ts'
import { makeView, viewBytes, viewNumber } from './views.ts'

/**
 * Values in the form in which `structuredClone` itself writes them: each object once, with references to it, so that objects
 * keep their identity within the value, and cycles are nothing special.
 */

/** What every such form starts with; of MessagePack it would be a number that nothing can follow. */
const VERSION_TAG = 0xff

/** Of a view it writes what the view shows: with the whole of its buffer, a small Buffer would bring Node's pool along. */
class ValueSerializer extends DefaultSerializer {
  _writeHostObject(object: object): void {
    if (!ArrayBuffer.isView(object)) throw refusal('a host object cannot be sent to another thread')
    const bytes = viewBytes(object)
    this.writeUint32(viewNumber(object))
    this.writeUint32(bytes.byteLength)
    this.writeRawBytes(bytes)
  }
}

class ValueDeserializer extends DefaultDeserializer {
  _readHostObject(): ArrayBufferView {
    const number = this.readUint32()
    return makeView(number, this.readRawBytes(this.readUint32()))
  }
}

export function cloneOf(value: unknown): Uint8Array {
  const serializer = new ValueSerializer()
  serializer.writeHeader()
  serializer.writeValue(value)
  return serializer.releaseBuffer()
}

export function isClone(bytes: Uint8Array): boolean {
  return bytes[0] === VERSION_TAG && bytes.byteLength > 1
}

/** @param bytes may lie in shared memory: nothing of the result refers to them */
export function readClone(bytes: Uint8Array): unknown {
  const deserializer = new ValueDeserializer(bytes)
  deserializer.readHeader()
  return deserializer.readValue()
}
