import { groupCommit } from '../../db/group-commit.ts'
import type { SignUp } from './sign-up.ts'

/** Writes the sign-ups that come in meanwhile in one statement; each resolves once its own is committed. */
export function collectSignUps(
  write: (batch: readonly SignUp[]) => Promise<void>,
): (signUp: SignUp) => Promise<void> {
  return groupCommit(write)
}
