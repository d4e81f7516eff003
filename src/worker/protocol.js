export function errorMessage(error) {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: '' }
  const { name, message, stack = '' } = error
  const code = Reflect.get(error, 'code')
  const detail = Reflect.get(error, 'detail')
  return {
    name,
    message,
    stack,
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof detail === 'object' && detail !== null ? { detail: detail } : {}),
  }
}
