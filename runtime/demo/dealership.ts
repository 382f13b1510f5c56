/** What NovaDrive Motors is made of: its vehicles, the states and cities it sells in, and the names of the people it sells to. */

export interface Vehicle {
  readonly name: string;
  readonly type: string;
  /** List price in reais. */
  readonly price: string;
  /** Share of the sales. */
  readonly weight: number;
  /** Days before today on which it joined the price list. */
  readonly daysListed: number;
  /** What customers pay, in millionths of the list price. */
  readonly paid: Range;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface State {
  readonly name: string;
  readonly sigla: string;
  readonly capital: string;
  /** Share of the customers. */
  readonly weight: number;
}

/** The whole range of the business rule: no sale above the list price, none below 95 % of it. */
const NEGOTIABLE: Range = { from: 950_000, to: 1_000_000 };

/**
 * Sales that keep a distance to both ends of the rule. Only such a vehicle's price can be changed in place: it may move by about 1 % either
 * way before the rule would break for sales that were made at another price.
 */
export const FIRM: Range = { from: 965_000, to: 990_000 };

const OLD = 1500;

export const VEHICLES: readonly Vehicle[] = [
  { name: "AgileXplorer", type: "SUV Compacta", price: "250000.00", weight: 18, daysListed: OLD, paid: NEGOTIABLE },
  { name: "VoyageRoamer", type: "SUV Média", price: "350000.00", weight: 15, daysListed: OLD, paid: NEGOTIABLE },
  {
    name: "EcoPrestige",
    type: "SUV Premium Híbrida",
    price: "500000.00",
    weight: 11,
    daysListed: OLD,
    paid: NEGOTIABLE,
  },
  { name: "WorkMaster", type: "Camionete Média", price: "280000.00", weight: 13, daysListed: OLD, paid: NEGOTIABLE },
  {
    name: "DoubleDuty",
    type: "Camionete Cabine Dupla",
    price: "320000.00",
    weight: 14,
    daysListed: OLD,
    paid: NEGOTIABLE,
  },
  { name: "MetroGlide", type: "Sedã Executivo", price: "419990.90", weight: 9, daysListed: OLD, paid: NEGOTIABLE },
  { name: "GrandVista", type: "SUV Grande", price: "620000.00", weight: 6, daysListed: 900, paid: FIRM },
  { name: "TerraPrestige", type: "SUV Premium Híbrida", price: "689900.00", weight: 5, daysListed: 700, paid: FIRM },
  { name: "VelocityGT", type: "Cupê Esportivo", price: "798500.50", weight: 3, daysListed: 400, paid: FIRM },
  { name: "CityBreeze", type: "SUV Compacta", price: "239990.00", weight: 6, daysListed: 40, paid: FIRM },
];

export const STATES: readonly State[] = [
  { name: "Acre", sigla: "AC", capital: "Rio Branco", weight: 2 },
  { name: "Alagoas", sigla: "AL", capital: "Maceió", weight: 4 },
  { name: "Amapá", sigla: "AP", capital: "Macapá", weight: 2 },
  { name: "Amazonas", sigla: "AM", capital: "Manaus", weight: 6 },
  { name: "Bahia", sigla: "BA", capital: "Salvador", weight: 13 },
  { name: "Ceará", sigla: "CE", capital: "Fortaleza", weight: 10 },
  { name: "Distrito Federal", sigla: "DF", capital: "Brasília", weight: 12 },
  { name: "Espírito Santo", sigla: "ES", capital: "Vitória", weight: 6 },
  { name: "Goiás", sigla: "GO", capital: "Goiânia", weight: 10 },
  { name: "Maranhão", sigla: "MA", capital: "São Luís", weight: 5 },
  { name: "Mato Grosso", sigla: "MT", capital: "Cuiabá", weight: 7 },
  { name: "Mato Grosso do Sul", sigla: "MS", capital: "Campo Grande", weight: 5 },
  { name: "Minas Gerais", sigla: "MG", capital: "Belo Horizonte", weight: 20 },
  { name: "Pará", sigla: "PA", capital: "Belém", weight: 6 },
  { name: "Paraíba", sigla: "PB", capital: "João Pessoa", weight: 4 },
  { name: "Paraná", sigla: "PR", capital: "Curitiba", weight: 15 },
  { name: "Pernambuco", sigla: "PE", capital: "Recife", weight: 9 },
  { name: "Piauí", sigla: "PI", capital: "Teresina", weight: 3 },
  { name: "Rio de Janeiro", sigla: "RJ", capital: "Rio de Janeiro", weight: 21 },
  { name: "Rio Grande do Norte", sigla: "RN", capital: "Natal", weight: 4 },
  { name: "Rio Grande do Sul", sigla: "RS", capital: "Porto Alegre", weight: 14 },
  { name: "Rondônia", sigla: "RO", capital: "Porto Velho", weight: 3 },
  { name: "Roraima", sigla: "RR", capital: "Boa Vista", weight: 1 },
  { name: "Santa Catarina", sigla: "SC", capital: "Florianópolis", weight: 11 },
  { name: "São Paulo", sigla: "SP", capital: "São Paulo", weight: 38 },
  { name: "Sergipe", sigla: "SE", capital: "Aracaju", weight: 3 },
  { name: "Tocantins", sigla: "TO", capital: "Palmas", weight: 3 },
];

const words = (text: string): readonly string[] => text.split("; ");

export const FIRST_NAMES = words(
  "Adélia; Adriana; Alícia; Álvaro; Amanda; Ana Beatriz; Ana Luíza; André; Antônio; Aurélio; Beatriz; Benício; Bruno; Caio; Camila; Carlos Eduardo; " +
    "Cecília; César; Cláudia; Conceição; Daniel; Débora; Diego; Eduarda; Elaine; Emílio; Estêvão; Fabrício; Felipe; Fernanda; Flávia; " +
    "Gabriel; Giovanna; Glória; Guilherme; Heitor; Helena; Henrique; Inês; Isabela; Ítalo; João Pedro; João Vitor; Joaquim; José; Júlia; " +
    "Larissa; Laís; Leonardo; Letícia; Lívia; Lúcia; Luís Felipe; Luíza; Manuela; Marcos; Maria Clara; Maria das Graças; Mário; Mônica; " +
    "Natália; Otávio; Patrícia; Paulo; Priscila; Rafael; Raquel; Regina; Ricardo; Rogério; Sérgio; Sofia; Tânia; Thaís; Tomás; Valéria; " +
    "Vinícius; Vitória; Yasmin; Zélia",
);

export const SURNAMES = words(
  "Abreu; Albuquerque; Almeida; Alvarenga; Amaral; Andrade; Araújo; Assunção; Azevedo; Barbosa; Barros; Batista; Bragança; Brandão; " +
    "Cardoso; Carvalho; Castelo Branco; Cavalcanti; Conceição; Corrêa; Costa; Coutinho; da Silva; D'Ávila; de Oliveira; de Souza; Dias; " +
    "dos Santos; Duarte; Espíndola; Fagundes; Farias; Fernandes; Ferreira; Figueirêdo; Fonseca; Freitas; Galvão; Gonçalves; Guimarães; " +
    "Leitão; Lima; Magalhães; Marçal; Martins; Melo; Mendonça; Moraes; Moreira; Müller; Nascimento; Nóbrega; Nogueira; Paixão; Peçanha; " +
    "Pereira; Pimentel; Queiroz; Ramos; Ribeiro; Rocha; Sant'Anna; Schröder; Simões; Soares; Teixeira; Trajano; Vasconcelos; Vieira; Zanetti",
);

export const STREETS = words(
  "Rua das Acácias; Rua XV de Novembro; Avenida Getúlio Vargas; Rua São João; Avenida Brasil; Travessa da Paz; Rua José Bonifácio; " +
    "Alameda dos Ipês; Rua Sete de Setembro; Avenida Presidente Juscelino Kubitschek; Rua Dom Pedro II; Praça da Sé; Estrada do Côco; " +
    "Rua Olavo Bilac; Avenida Beira-Mar; Rua Tiradentes; Rua Santa Luzia; Avenida Rio Branco; Rua Cônego Araújo; Ladeira do Pelourinho; " +
    "Rua Marechal Deodoro; Avenida Paulista; Rua Barão de Itapetininga; Rodovia BR-101, km; Rua Padre Antônio Vieira; Rua D'Ajuda",
);

export const DISTRICTS = words(
  "Centro; Jardim América; Boa Viagem; Água Verde; Savassi; Vila Mariana; São Cristóvão; Aldeota; Ponta Negra; Asa Sul; Bairro da Glória; " +
    "Jatiúca; Setor Bueno; Moinhos de Vento; Pituba; Meireles; Umarizal; Trindade; Tambaú; Lourdes",
);

export const COMPANIES = words(
  'Transportes "Estrela do Sul", Ltda.; Agropecuária São José S/A; Comércio & Representações Irmãos Gonçalves; Clínica D\'Água Viva; ' +
    "Construtora Três Poderes (filial); Café do Sertão ME; Açaí & Cia.; Locadora Via Norte, Ltda.",
);
