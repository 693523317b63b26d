import type { Command } from 'commander'
import { type Reconciliation, reconcileIssue } from '../delivery/reconcile.ts'
import { type Comparison, compareWithProvider } from '../delivery/reconcile-provider.ts'
import { findIssue, type Issue } from '../issue/issue.ts'
import type { Newsletter } from '../newsletter.ts'
import { answering, Problem, parseWeek, withNewsletter } from './command.ts'
import { providerAccount } from './provider-account.ts'
import { accountTable } from './words.ts'

type Options = { json?: true; provider?: true }

/** `reconcile WEEK [--provider]` */
export function addReconcileCommand(program: Command): void {
  answering<Options>(
    program
      .command('reconcile')
      .description("prove the ledger's invariants for an issue, or name each row that breaks one")
      .argument('<week>', 'ISO week')
      .option('--provider', "compare with Resend's own list too; needs RESEND_FULL_ACCESS_KEY"),
    ([name], options) =>
      withNewsletter(async (newsletter) => {
        const week = parseWeek(name, newsletter).name
        const issue = await findIssue(newsletter.db, week)
        if (!issue) throw new Problem(`There is no issue for ${week}. Make one: verdict draft --week ${week}`)
        const proof = await reconcileIssue(newsletter.db, issue)
        const provider = options.provider ? await compare(newsletter, issue, options) : undefined
        const isSound = proof.violations.length === 0 && !provider?.differences.length
        return {
          json: { ...proof, state: issue.state, ...(provider && { provider }), ok: isSound },
          lines: [
            `${week} is ${issue.state}`,
            ...accountTable(proof.account),
            '',
            ...proofLines(proof),
            ...(provider ? providerLines(provider) : []),
          ],
          ok: isSound,
        }
      }),
  )
}

function compare({ db, config }: Newsletter, issue: Issue, { json }: Options): Promise<Comparison> {
  const account = providerAccount(config)
  if (!account)
    throw new Problem(
      'RESEND_FULL_ACCESS_KEY is not set: the sending key cannot read the list. Make a key with full access at Resend.',
    )
  const isWatched = process.stderr.isTTY === true && !json
  const onPage = (listed: number) => void process.stderr.write(`\rAsking Resend: ${listed} mails `)
  return compareWithProvider({ db, account, ...(isWatched && { onPage }) }, issue).finally(() => {
    if (isWatched) process.stderr.write('\n')
  })
}

function proofLines({ violations }: Reconciliation): readonly string[] {
  if (violations.length === 0) return ['All six invariants hold.']
  return [
    ...violations.map(({ invariant, what }) => `  broken (invariant ${invariant}): ${what}`),
    `${violations.length} ${violations.length === 1 ? 'row breaks' : 'rows break'} an invariant.`,
  ]
}

const shown = 50

function providerLines({ listed, differences }: Comparison): readonly string[] {
  if (differences.length === 0) return [`Resend lists the same mails: ${listed}.`]
  return [
    ...differences.slice(0, shown).map(({ what }) => `  differs: ${what}`),
    ...(differences.length > shown
      ? [`  and ${differences.length - shown} more: --json has all of them`]
      : []),
    `Resend lists ${listed} mails, and ${differences.length} ${differences.length === 1 ? 'differs' : 'differ'}.`,
  ]
}
