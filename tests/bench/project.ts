/** The bench's project: a manifest with one table, no models. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const MANIFEST = `version: 2
sources:
  - name: stage
    schema: stage
    config: {meta: {sync: {mode: incremental, cursor: data_atualizacao, deletes: hard}}}
    tables:
      - name: vendas
        config: {meta: {primary_key: [id_vendas]}}
        columns:
          - {name: id_vendas, data_type: integer, constraints: [{type: not_null}]}
          - {name: id_veiculos, data_type: integer, constraints: [{type: not_null}]}
          - {name: id_concessionarias, data_type: integer, constraints: [{type: not_null}]}
          - {name: id_vendedores, data_type: integer, constraints: [{type: not_null}]}
          - {name: id_clientes, data_type: integer, constraints: [{type: not_null}]}
          - {name: valor_pago, data_type: "decimal(10,2)", constraints: [{type: not_null}]}
          - {name: data_venda, data_type: timestamp_ltz}
          - {name: data_inclusao, data_type: timestamp_ltz}
          - {name: data_atualizacao, data_type: timestamp_ltz}
`;

export function manifestFile(project: string): string {
  return join(project, "models/manifest.yml");
}

export async function writeProject(project: string): Promise<void> {
  await mkdir(join(project, "models"), { recursive: true });
  await writeFile(manifestFile(project), MANIFEST);
  await writeFile(join(project, "dbt_project.yml"), "name: bench\nversion: '1.0'\nprofile: bench\n");
}
