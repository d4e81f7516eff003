import { mkdir, open, readFile, readdir, rm, truncate } from 'node:fs/promises'
import { DirectoryLock } from './lock.ts'

/** One file that is written at given places. */
export interface WrittenFile {
  /** Resolves to how many of the bytes were written: all of them, or fewer. */
  write(bytes: Uint8Array, at: number): Promise<number>
  /** Resolves when all that was written is on the disk. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** A folder that is this process's own, until it is let go. */
export interface Lock {
  release(): Promise<void>
}

/** The few things that the ingress journal asks of files. A test puts a disk in their place that fails as disks do. */
export interface Files {
  makeFolder(path: string): Promise<void>
  /** Keeps other processes off a folder. @throws JOURNAL_IN_USE */
  lock(folder: string): Promise<Lock>
  /** Names of the files in a folder. */
  list(folder: string): Promise<readonly string[]>
  read(path: string): Promise<Buffer>
  /** Makes a file. Rejects with EEXIST where there is one. */
  create(path: string): Promise<WrittenFile>
  /** Cuts a file to a length, and syncs it. */
  cut(path: string, bytes: number): Promise<void>
  remove(path: string): Promise<void>
  /** Resolves when the names in a folder are on the disk. */
  syncFolder(path: string): Promise<void>
}

/** The files of this machine. */
export const machineFiles: Files = {
  async makeFolder(path) {
    await mkdir(path, { recursive: true })
  },
  lock: (folder) => DirectoryLock.take(folder),
  list: (folder) => readdir(folder),
  read: (path) => readFile(path),
  async create(path) {
    const file = await open(path, 'wx')
    return {
      write: async (bytes, at) => (await file.write(bytes, 0, bytes.length, at)).bytesWritten,
      sync: () => file.datasync(),
      close: () => file.close(),
    }
  },
  async cut(path, bytes) {
    await truncate(path, bytes)
    await synced(path, 'r+')
  },
  async remove(path) {
    await rm(path, { force: true })
  },
  async syncFolder(path) {
    // Windows has no such thing, and needs none.
    if (process.platform !== 'win32') await synced(path, 'r')
  },
}

async function synced(path: string, flags: string): Promise<void> {
  const file = await open(path, flags)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
