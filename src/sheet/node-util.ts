/** What errors ask `node:util` of a value that they show. A sheet's values are plain data. */
const isNot = (): boolean => false

export const types = {
  isProxy: isNot,
  isMap: (value: unknown) => value instanceof Map,
  isSet: (value: unknown) => value instanceof Set,
  isTypedArray: isNot,
  isAnyArrayBuffer: isNot,
  isDataView: isNot,
  isNativeError: (value: unknown) => value instanceof Error,
  isUint8Array: isNot,
  isDate: isNot,
  isRegExp: isNot,
  isModuleNamespaceObject: isNot,
  isBoxedPrimitive: isNot,
  isExternal: isNot,
  isGeneratorObject: isNot,
  isPromise: isNot,
  isWeakMap: isNot,
  isWeakSet: isNot,
}
