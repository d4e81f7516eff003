/**
 * An identifier that any format takes, made from an id alone: the same id has the same name whatever else the graph holds.
 * Plain ids are kept; others keep what is plain of them, and a hash of the whole.
 */
export function nameOf(prefix, id) {
  if (/^[A-Za-z][A-Za-z0-9_]*$/.test(id)) return `${prefix}_${id}`
  const plain = id.replaceAll(/[^A-Za-z0-9]+/g, '_').slice(0, 24)
  return `${prefix}__${plain}_${hash(id)}`
}
/** 64 bits of FNV-1a over the UTF-16 units, in hexadecimal: two halves with different seeds. */
function hash(text) {
  return [0x811c9dc5, 0x01000193]
    .map((seed) => {
      let value = seed
      for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
      return (value >>> 0).toString(16).padStart(8, '0')
    })
    .join('')
}
