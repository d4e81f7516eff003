/** Faces in pictures, without a model: by the colour of skin, and by a fingerprint of what is there. */
import jpeg from 'jpeg-js'

/** Where a face is, in pixels. */
export interface Face {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

interface Picture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** A face is at least this share of its picture, and at least this share of its box. */
const [LEAST_OF_PICTURE, LEAST_OF_BOX] = [0.04, 0.55]
/** How many of the 64 bits of two fingerprints of one face differ, at most. */
const ALIKE = 8

export function decoded(bytes: Uint8Array): Picture {
  return jpeg.decode(bytes, { useTArray: true, maxMemoryUsageInMB: 256 })
}

/** Skin has a chrominance of its own, whatever its brightness (Chai and Ngan, 1999). */
function isSkin({ data }: Picture, pixel: number): boolean {
  const [r, g, b] = [data[4 * pixel]!, data[4 * pixel + 1]!, data[4 * pixel + 2]!]
  const cb = 128 - 0.169 * r - 0.331 * g + 0.5 * b
  const cr = 128 + 0.5 * r - 0.419 * g - 0.081 * b
  return cb >= 77 && cb <= 127 && cr >= 133 && cr <= 173
}

/** The largest region of skin, if it has the size and the proportions of a face. */
export function findFace(picture: Picture): Face | undefined {
  const { width, height } = picture
  const seen = new Uint8Array(width * height)
  let best: (Face & { readonly pixels: number }) | undefined
  for (let pixel = 0; pixel < seen.length; pixel++) {
    if (seen[pixel] === 1 || !isSkin(picture, pixel)) continue
    const region = regionFrom(picture, pixel, seen)
    if (best === undefined || region.pixels > best.pixels) best = region
  }
  if (best === undefined) return undefined
  const { pixels, ...face } = best
  const [isLarge, isFull] = [
    pixels >= LEAST_OF_PICTURE * seen.length,
    pixels >= LEAST_OF_BOX * face.width * face.height,
  ]
  const tall = face.height / face.width
  return isLarge && isFull && tall >= 0.8 && tall <= 2.2 ? face : undefined
}

/** All skin that hangs together with a pixel, and the box around it. */
function regionFrom(picture: Picture, start: number, seen: Uint8Array): Face & { readonly pixels: number } {
  const { width, height } = picture
  const open = [start]
  seen[start] = 1
  let [pixels, left, right, top, bottom] = [0, width, 0, height, 0]
  for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    pixels++
    ;[left, right] = [Math.min(left, x), Math.max(right, x)]
    ;[top, bottom] = [Math.min(top, y), Math.max(bottom, y)]
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ] as const) {
      if (x + dx < 0 || x + dx >= width || y + dy < 0 || y + dy >= height) continue
      const next = (y + dy) * width + x + dx
      if (seen[next] === 1 || !isSkin(picture, next)) continue
      seen[next] = 1
      open.push(next)
    }
  }
  return { pixels, left, top, width: right - left + 1, height: bottom - top + 1 }
}

/** 64 bits: for 8 rows of 8 places, whether it is brighter there than at the next place to the right. */
export function fingerprint(picture: Picture, face: Face): string {
  const bright = (column: number, row: number): number => {
    const x = face.left + Math.floor(((column + 0.5) * face.width) / 9)
    const y = face.top + Math.floor(((row + 0.5) * face.height) / 8)
    const at = 4 * (y * picture.width + x)
    return 0.299 * picture.data[at]! + 0.587 * picture.data[at + 1]! + 0.114 * picture.data[at + 2]!
  }
  let bits = ''
  for (let row = 0; row < 8; row++)
    for (let column = 0; column < 8; column++) bits += bright(column, row) > bright(column + 1, row) + 2 ? '1' : '0'
  return bits
}

export function isAlike(one: string, other: string): boolean {
  let different = 0
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) different++
  return different <= ALIKE
}
