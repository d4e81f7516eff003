/** Where the pictures of users are, in place of S3: a folder, with signed addresses, and a list of those who are known. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import jpeg from 'jpeg-js'
import { decoded, findFace, fingerprint } from './faces.ts'

const KEY = 'the key of the example'
const VALID_MS = 60_000

/** A user, and the address of the picture: good for a minute. */
export interface Signed {
  readonly user: string
  readonly url: string
}

function signatureOf(path: string, expires: number): string {
  return createHmac('sha256', KEY).update(`${path} ${expires}`).digest('hex')
}

export function signed(user: string): Signed {
  if (!/^[\w-]+$/.test(user)) throw new Error(`${JSON.stringify(user)} is no user`)
  const [path, expires] = [`${user}.jpg`, Date.now() + VALID_MS]
  return { user, url: `${path}?expires=${expires}&signature=${signatureOf(path, expires)}` }
}

/** The file behind an address. @throws where the signature is wrong, or its time is over */
function fileOf(bucket: string, url: string): string {
  const [path = '', query] = url.split('?')
  const asked = new URLSearchParams(query)
  const [expires, given] = [Number(asked.get('expires')), asked.get('signature') ?? '']
  const wanted = signatureOf(path, expires)
  if (given.length !== wanted.length || !timingSafeEqual(Buffer.from(given), Buffer.from(wanted)))
    throw new Error('the signature is wrong')
  if (expires < Date.now()) throw new Error('the address is too old')
  return join(bucket, path)
}

export async function pictureAt(bucket: string, url: string): Promise<Uint8Array> {
  return readFile(fileOf(bucket, url))
}

/** @throws where there is no picture */
export async function exists(bucket: string, given: Signed): Promise<Signed> {
  await stat(fileOf(bucket, given.url))
  return given
}

/** Fingerprints of the faces of known users, by user. */
export async function knownFaces(bucket: string): Promise<Record<string, string>> {
  return JSON.parse(await readFile(join(bucket, 'known.json'), 'utf8')) as Record<string, string>
}

export async function addProfile(bucket: string, user: string, status: string): Promise<void> {
  await appendFile(join(bucket, 'profiles.ndjson'), `${JSON.stringify({ user, status })}\n`)
}

/** Fills a folder: ada and bob have a face, and ada is known; hill is a landscape. */
export async function fillBucket(bucket: string): Promise<void> {
  const pictures = { ada: portrait(30), bob: portrait(58), hill: landscape() }
  for (const [user, picture] of Object.entries(pictures)) await writeFile(join(bucket, `${user}.jpg`), picture)
  const ada = decoded(pictures.ada)
  await writeFile(join(bucket, 'known.json'), JSON.stringify({ ada: fingerprint(ada, findFace(ada)!) }))
  await writeFile(join(bucket, 'listed.txt'), 'ada\nbob\nhill\n')
}

const [WIDTH, HEIGHT] = [96, 120]

function drawn(color: (x: number, y: number) => readonly [number, number, number]): Uint8Array {
  const data = new Uint8Array(4 * WIDTH * HEIGHT).fill(255)
  for (let pixel = 0; pixel < WIDTH * HEIGHT; pixel++)
    data.set(color(pixel % WIDTH, Math.floor(pixel / WIDTH)), 4 * pixel)
  return Uint8Array.from(jpeg.encode({ width: WIDTH, height: HEIGHT, data }, 92).data)
}

/** Whether a place is in an ellipse with this middle and these radii. */
function isIn(x: number, y: number, cx: number, cy: number, rx: number, ry: number): boolean {
  return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1
}

/** @param eyes how far down the eyes are; the rest of the face follows */
function portrait(eyes: number): Uint8Array {
  return drawn((x, y) => {
    if (isIn(x, y, 38, eyes + 20, 4, 4) || isIn(x, y, 58, eyes + 20, 4, 4)) return [40, 30, 30]
    if (isIn(x, y, 48, 150 - eyes, 12, 3)) return [150, 40, 50]
    // Light comes from the side on which the eyes are high.
    const light = eyes < 45 ? (x - 48) / 2 : (48 - x) / 2
    if (isIn(x, y, 48, 62, 30, 42)) return [205 + light, 150 + light, 125 + light]
    return [60, 90, 150]
  })
}

function landscape(): Uint8Array {
  return drawn((x, y) => (y < 60 + 12 * Math.sin(x / 15) ? [120, 170, 230] : [60, 140, 70]))
}
