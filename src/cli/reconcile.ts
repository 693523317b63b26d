import type { Command } from 'commander'
import { reconcileIssue } from '../delivery/reconcile.ts'
import { findIssue } from '../issue/issue.ts'
import { answering, Problem, parseWeek, withNewsletter } from './command.ts'
import { accountLine } from './words.ts'

/** `reconcile WEEK` */
export function addReconcileCommand(program: Command): void {
  answering(
    program
      .command('reconcile')
      .description("prove the ledger's invariants for an issue, or name each row that breaks one")
      .argument('<week>', 'ISO week'),
    ([name]) =>
      withNewsletter(async (newsletter) => {
        const week = parseWeek(name, newsletter).name
        const issue = await findIssue(newsletter.db, week)
        if (!issue) throw new Problem(`There is no issue for ${week}. Make one: verdict draft --week ${week}`)
        const proof = await reconcileIssue(newsletter.db, issue)
        const isSound = proof.violations.length === 0
        return {
          json: { ...proof, state: issue.state, ok: isSound },
          lines: [
            `${week} is ${issue.state}: ${accountLine(proof.account)}`,
            ...proof.violations.map(({ invariant, what }) => `  broken (invariant ${invariant}): ${what}`),
            isSound ? 'All five invariants hold.' : `${proof.violations.length} rows break an invariant.`,
          ],
          ok: isSound,
        }
      }),
  )
}
