import { types } from 'node:util'

/** Whether `structuredClone` takes an object that has no form of its own: an instance of a user's class is a plain object. */
export function isCloneable(value: object): boolean {
  return !(
    types.isPromise(value) ||
    types.isWeakMap(value) ||
    types.isWeakSet(value) ||
    types.isGeneratorObject(value) ||
    types.isArgumentsObject(value) ||
    types.isMapIterator(value) ||
    types.isSetIterator(value) ||
    types.isModuleNamespaceObject(value) ||
    types.isExternal(value) ||
    types.isSymbolObject(value) ||
    types.isSharedArrayBuffer(value) ||
    types.isKeyObject(value) ||
    types.isCryptoKey(value) ||
    value instanceof WeakRef ||
    value instanceof Blob ||
    value instanceof MessagePort ||
    value instanceof ReadableStream ||
    value instanceof WritableStream ||
    value instanceof TransformStream ||
    // Iterators of arrays and strings, compiled WebAssembly: no test of `util.types` tells them.
    /Iterator|WebAssembly/.test(Object.prototype.toString.call(value))
  )
}
