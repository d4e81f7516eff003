import { MillraceError } from '../../errors.ts'
import { PostgresFlowStore } from './postgres-store.ts'
import type { SharedFlowStore } from './shared-store.ts'
import { SharedPostgresStore } from './shared-postgres-store.ts'
import { SqliteFlowStore } from './sqlite-store.ts'
import type { FlowStore } from './store.ts'

/**
 * Opens the store at an address: `postgres://…`, or a file of SQLite, which is made if need be. With `shared`, other processes use it
 * too, for flows with a `role`; it has to be a PostgreSQL server.
 * @throws FLOW_STORE_UNUSABLE, FLOW_STORE_NOT_SHARED, TRACE_STORE_NOT_INSTALLED
 */
export function openFlowStore(address: string, options: { readonly shared: true }): Promise<SharedFlowStore>
export function openFlowStore(address: string, options?: { readonly shared?: false }): Promise<FlowStore>
export async function openFlowStore(
  address: string,
  { shared = false }: { readonly shared?: boolean } = {},
): Promise<FlowStore | SharedFlowStore> {
  const isServer = /^postgres(?:ql)?:\/\//.test(address)
  if (!shared) return isServer ? PostgresFlowStore.open(address) : SqliteFlowStore.open(address)
  if (!isServer) throw new MillraceError('FLOW_STORE_NOT_SHARED', { store: address })
  return SharedPostgresStore.open(address)
}
