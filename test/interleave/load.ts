import { register } from 'node:module'
import { MUTATIONS } from './mutations.ts'

let isRegistered = false

/** A program's module, compiled to be stepped, and all shipped modules below it; with one of the mutations, or none. */
export async function loadProgram<T>(name: string, mutation = 0): Promise<T> {
  if (!isRegistered) register('./hooks.js', import.meta.url, { data: { mutations: MUTATIONS } })
  isRegistered = true
  return (await import(`./programs/${name}.js?stepped=${mutation}`)) as T
}
