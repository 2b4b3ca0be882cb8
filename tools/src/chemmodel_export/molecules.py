"""Molecules that every bundle is asked about: common ones, and spellings that trip tokenizers.

The second list is about tokens rather than chemistry: charges, isotopes, stereo, ring closures of two digits, Kekulé
forms, unusual elements, several fragments. All of it is valid OpenSMILES.
"""

COMMON = """
C CC CCO CO CC(=O)O CC(=O)C CCCCCC CCCCCCCCO c1ccccc1 Cc1ccccc1 Nc1ccccc1 Oc1ccccc1 c1ccc2ccccc2c1 ClC(Cl)Cl ClCCl CCl
CBr CI CC#N CN(C)C=O CS(C)=O C1CCOC1 C1COCCO1 CCOCC CCOC(C)=O c1ccncc1 c1cc[nH]c1 c1ccoc1 c1ccsc1 C1CCCCC1 O=C1CCCCC1
CCN(CC)CC NCCO OCCO OCC(O)CO C=C C#C C=CC=C CC(C)(C)O CC(C)C=O O=Cc1ccccc1 COc1ccccc1 N#Cc1ccccc1 O=[N+]([O-])c1ccccc1
Clc1ccccc1 Brc1ccccc1
Ic1ccccc1 Fc1ccccc1 FC(F)(F)c1ccccc1 CC(=O)Oc1ccccc1C(=O)O CC(=O)Nc1ccc(O)cc1 CC(C)Cc1ccc(cc1)C(C)C(=O)O
Cn1cnc2c1c(=O)n(C)c(=O)n2C C1CCNCC1 C1COCCN1 NC(=O)c1cccnc1 CSC CCS CSSC OC(=O)c1ccccc1 CCCCCCCCCCCCCCCCCC(=O)O
""".split()

AWKWARD = """
C[C@H](N)C(=O)O C[C@@H](N)C(=O)O C/C=C/C C/C=C\\C C[N+](C)(C)C [13CH3]O [2H]C([2H])([2H])O C1=CC=CC=C1 C%10CCCCC%10
C[Si](C)(C)C C[Ge](C)(C)C CB(O)O C[Se]C CP(C)C COP(=O)(OC)OC [O-][n+]1ccccc1 [nH]1cccc1 C[S@](=O)CC *CC*
[Na+].[Cl-] CC(=O)[O-].[Na+] [C-]#[O+] [NH4+] [U] F/C(Cl)=C(Br)/I
""".split()

LONG = ["C" * 120, "OCC" * 40 + "O", "c1ccc(cc1)" + "-c1ccc(cc1)" * 12 + "C"]


def default() -> list[str]:
    return [*COMMON, *AWKWARD, *LONG]
