/** Registering as Osclass does it, on sites that have addresses proved and on sites that do not. */
import type { Host } from './osclass/host.ts';
import type { Registration } from './osclass/person.ts';

/** Whether whoever registers on the site has to prove the address: what its administrator chose in the settings. */
export async function setValidation(host: Host, isOn: boolean): Promise<void> {
  await host.write(
    `REPLACE INTO {preference} (s_section, s_name, s_value, e_type)
     VALUES ('osclass', 'enabled_user_validation', ?, 'BOOLEAN')`,
    [isOn ? '1' : '0'],
  );
}

/** What was chosen; the installer of Osclass chooses that addresses are proved. */
async function validates(host: Host): Promise<boolean> {
  const [row] = await host.select(
    "SELECT s_value FROM {preference} WHERE s_section = 'osclass' AND s_name = 'enabled_user_validation'",
  );
  return row?.s_value !== '0';
}

/** Somebody fills in the form; who may have the address is another question. Active only where nothing has to be proved. */
export async function signUp(
  { host, person = host.person }: { readonly host: Host; readonly person?: Pick<Host['person'], 'register'> },
  form: Registration,
): Promise<number> {
  return await person.register({ ...form, validation: await validates(host) });
}

/** The owner of the mailbox registers, and clicks the link where one is sent. */
export async function signUpAsOwner(
  one: { readonly host: Host; readonly person?: Pick<Host['person'], 'register'> },
  form: Registration,
): Promise<number> {
  const id = await signUp(one, form);
  if (await validates(one.host)) await one.host.person.clickValidationLink(id);
  return id;
}

/** "Forgot your password?" and the link in the mail: only the owner of the mailbox can. Gives the new hash. */
export async function resetByMail({ person }: Pick<Host, 'person'>, email: string): Promise<string> {
  return await person.resetPassword(email, await person.requestPasswordReset(email));
}
