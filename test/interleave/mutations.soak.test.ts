import { testMutations } from './mutation-tests.js'

testMutations(({ isSlow }) => isSlow === true)
