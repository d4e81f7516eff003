export default {
  testMatch: ['**/tests/*.jest.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['ts-jest', { useESM: true, diagnostics: false, isolatedModules: true }] },
}
