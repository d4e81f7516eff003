import type { Kind } from './orders.ts'

/** Dies, in the thread that calls it, as it was ordered. */
export function die(kind: Kind): void {
  switch (kind) {
    case 'exit':
      return process.exit(7)
    case 'uncaught':
      setTimeout(() => {
        throw new Error('an uncaught error')
      }, 0)
      return
    case 'heap': {
      const hoard: number[][] = []
      for (;;) hoard.push(new Array<number>(10_000).fill(hoard.length))
    }
    case 'endless':
      for (;;);
    case 'native': {
      const { pbkdf2Sync } = process.getBuiltinModule('node:crypto')
      // Whoever ordered this terminates the thread in the meantime; the call itself cannot be interrupted.
      for (;;) pbkdf2Sync('a password', 'a salt', 20_000, 64, 'sha512')
    }
    case 'terminate':
      return
  }
}
