import type { Mutation } from './mutate.ts'

export const MUTATIONS: readonly Mutation[] = []
