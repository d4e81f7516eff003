import { PostgresFlowStore } from './postgres-store.ts'
import { SqliteFlowStore } from './sqlite-store.ts'
import type { FlowStore } from './store.ts'

/**
 * Opens the store at an address: `postgres://…`, or a file of SQLite, which is made if need be.
 * @throws FLOW_STORE_UNUSABLE, TRACE_STORE_NOT_INSTALLED
 */
export function openFlowStore(address: string): Promise<FlowStore> {
  return /^postgres(?:ql)?:\/\//.test(address) ? PostgresFlowStore.open(address) : SqliteFlowStore.open(address)
}
