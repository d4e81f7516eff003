/**
 * The flows of GoFlow's page, and what they do there. Pictures are JPEG files in a folder; faces are found by the colour of skin and
 * matched by a fingerprint, where GoFlow's page names functions that it does not show.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { flow } from 'millrace/flow'
import { type Signed, addProfile, exists, knownFaces, pictureAt, signed } from './bucket.ts'
import { decoded, findFace, fingerprint, isAlike } from './faces.ts'

/** What the flows are run with. */
interface Params {
  readonly bucket: string
}

/** Keeps what each step does: the page shows it, and requests can be paused and replayed. */
const KEPT = { keepSteps: true } as const

/** "The initial example is a single vertex DAG." */
export const myflow = flow('myflow', import.meta.url, KEPT).step('test', {
  map: (said: string) => `you said "${said}"`,
})

interface Detected extends Signed {
  readonly hasFace: boolean
}
interface Matched extends Signed {
  readonly isMatch: boolean
}
interface Verdict {
  readonly user: string
  readonly status: 'success' | 'failure'
}
type Given = { readonly params: Params }

const getPresignedUrlForImage = { map: (user: string) => signed(user) }
const s3DocExists = { map: (given: Signed, { params }: Given) => exists(params.bucket, given) }
const detectFace = {
  map: async (given: Signed, { params }: Given): Promise<Detected> => {
    const picture = decoded(await pictureAt(params.bucket, given.url))
    return { ...given, hasFace: findFace(picture) !== undefined }
  },
}
/** Whether the face is that of the known user with this name. */
const matchFace = {
  map: async (given: Signed, { params }: Given): Promise<Matched> => {
    const picture = decoded(await pictureAt(params.bucket, given.url))
    const [face, known] = [findFace(picture), (await knownFaces(params.bucket))[given.user]]
    const isMatch = face !== undefined && known !== undefined && isAlike(fingerprint(picture, face), known)
    return { ...given, isMatch }
  },
}
const markProfileBasedOnStatus = {
  map: async ({ user, status }: Verdict, { params }: Given) => {
    await addProfile(params.bucket, user, status)
    return { user, status }
  },
}
/** Of the known, a list that all workers share would need a database; a profile is enough here. */
const createUser = {
  map: async ({ user }: Signed, { params }: Given) => {
    await addProfile(params.bucket, user, 'created')
    return { user, isCreated: true }
  },
}

function verdict(user: string, isGood: boolean): Verdict {
  return { user, status: isGood ? 'success' : 'failure' }
}

/** "Register() allows user to bind multiple flows onto single flow service." */
export const createUserFlow = flow<Params>('createUser', import.meta.url, KEPT)
  .step('sign', getPresignedUrlForImage)
  .step('create', createUser)
  .edge('sign', 'create')
export const deleteUserFlow = flow<Params>('deleteUser', import.meta.url, KEPT).step('delete', {
  map: async (user: string, { params }) => {
    await addProfile(params.bucket, user, 'deleted')
    return { user, isDeleted: true }
  },
})

/** "A simple multi vertex flow to validate a KYC image of a user and mark the user according to the result." */
export const kyc = flow<Params>('kyc', import.meta.url, KEPT)
  .step('get-kyc-image', getPresignedUrlForImage)
  .step('face-detect', detectFace)
  .step('mark-profile', markProfileBasedOnStatus)
  .edge('get-kyc-image', 'face-detect')
  .edge('face-detect', 'mark-profile', { map: ({ user, hasFace }) => verdict(user, hasFace) })

/** "Match the face with existing data … in parallel to reduce time." */
export const branching = flow<Params>('kyc-branching', import.meta.url, KEPT)
  .step('get-kyc-image', getPresignedUrlForImage)
  .step('face-detect', detectFace)
  .step('face-match', matchFace)
  .step('mark-profile', {
    join: (answers) =>
      verdict(answers['face-detect'].user, answers['face-detect'].hasFace && answers['face-match'].isMatch),
    ...markProfileBasedOnStatus,
  })
  .edge('get-kyc-image', 'face-detect')
  .edge('get-kyc-image', 'face-match')
  .edge('face-detect', 'mark-profile')
  .edge('face-match', 'mark-profile')

/** "Put it in a library that can be shared across different flows." */
export const kycImageValidation = flow<Params>('kyc-image-validation', import.meta.url, KEPT)
  .step('verify-url', s3DocExists)
  .step('face-detect', detectFace)
  .step('face-match', matchFace)
  .step('generate-result', {
    join: (answers) =>
      verdict(answers['face-detect'].user, answers['face-detect'].hasFace && answers['face-match'].isMatch),
  })
  .edge('verify-url', 'face-detect')
  .edge('verify-url', 'face-match')
  .edge('face-detect', 'generate-result')
  .edge('face-match', 'generate-result')

/** "Our existing flow embeds the KycImageValidation DAG." */
export const subdag = flow<Params>('kyc-subdag', import.meta.url, KEPT)
  .step('get-image', getPresignedUrlForImage)
  .subflow('verify-image', kycImageValidation)
  .step('mark-profile', markProfileBasedOnStatus)
  .edge('get-image', 'verify-image')
  .edge('verify-image', 'mark-profile')

const faceMatch = flow<Params>('pass').step('face-match', matchFace)

/** "Face match happen only when face-detect is success … if not matched execution of next node is continued." */
export const condition = flow<Params>('kyc-condition', import.meta.url, KEPT)
  .step('get-image', getPresignedUrlForImage)
  .step('verify-url', s3DocExists)
  .step('face-detect', detectFace)
  .branch('handle-face-detect-response', {
    when: ({ hasFace }: Detected) => (hasFace ? 'pass' : []),
    branches: { pass: faceMatch },
  })
  .step('generate-result', {
    map: (response: { readonly pass?: Matched } | Detected) =>
      'user' in response ? verdict(response.user, false) : verdict(response.pass!.user, response.pass!.isMatch),
  })
  .step('mark-profile', markProfileBasedOnStatus)
  .edge('get-image', 'verify-url')
  .edge('verify-url', 'face-detect')
  .edge('face-detect', 'handle-face-detect-response')
  .edge('handle-face-detect-response', 'generate-result')
  .edge('generate-result', 'mark-profile')

/** "Face match happen only when face-detect is success, otherwise create-user is called." */
export const conditions = flow<Params>('kyc-conditions', import.meta.url, KEPT)
  .step('get-image', getPresignedUrlForImage)
  .step('verify-url', s3DocExists)
  .step('face-detect', detectFace)
  .branch('handle-face-detect-response', {
    when: ({ hasFace }: Detected) => (hasFace ? 'pass' : 'fail'),
    branches: { pass: faceMatch, fail: flow<Params>('fail').step('create-user', createUser) },
    onNone: 'fail',
  })
  .step('generate-result', {
    map: ({ pass, fail }: { readonly pass?: Matched; readonly fail?: { readonly user: string } }) =>
      pass === undefined ? { user: fail!.user, status: 'created' as const } : verdict(pass.user, pass.isMatch),
  })
  .edge('get-image', 'verify-url')
  .edge('verify-url', 'face-detect')
  .edge('face-detect', 'handle-face-detect-response')
  .edge('handle-face-detect-response', 'generate-result')

/** "Execute over a set of user that has been listed for possible fraud." */
export const foreach = flow<Params>('kyc-foreach', import.meta.url, KEPT)
  .step('get-users', {
    map: async (list: string, { params }) =>
      (await readFile(join(params.bucket, `${list.replaceAll(/\W/g, '')}.txt`), 'utf8')).trim().split('\n'),
  })
  .forEach('for-each-user-verify', {
    items: (users: readonly string[]) => users.map(signed),
    each: flow<Params>('verify')
      .subflow('verify-image', kycImageValidation)
      .step('mark-profile', markProfileBasedOnStatus)
      .edge('verify-image', 'mark-profile'),
  })
  .edge('get-users', 'for-each-user-verify')
